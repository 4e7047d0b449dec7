// Children under Asio, through procsup.hpp. The glue is three lines:
//
//     asio::posix::stream_descriptor ready(io, supervisor.fd());          one descriptor for all its children ...
//     ready.async_wait(ready.wait_read, [...](std::error_code ec) { ... });          ... to be waited for again each time
//     while (auto event = supervisor.next_event()) ...                    in the handler
//
// and a fourth: ready.release() at the end, because a stream_descriptor closes what it holds, and this one is the supervisor's. The
// supervisor must outlive it. With Boost.Asio put boost:: before asio::, and std::error_code is boost::system::error_code.
//
//     c++ -std=c++17 loop_asio.cpp $(pkg-config --cflags --libs procsup) -pthread -o loop_asio && ./loop_asio
/* ctest */
/* needs-header: asio.hpp */
#define ASIO_STANDALONE
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include <procsup.hpp>

#include <array>
#include <csignal>
#include <cstdio>
#include <functional>
#include <string>
#include <sys/resource.h>

using namespace std::chrono_literals;
using procsup::event_kind;
using procsup::exit_cause;

// ---- the glue: events of a supervisor as calls of a handler --------------------------------------------------------------------

class event_source {
  public:
    using handler = std::function<void(const procsup::event &)>;

    event_source(asio::io_context &io, procsup::supervisor &supervisor, handler handle)
        : supervisor_(supervisor), ready_(io, supervisor.fd()), handle_(std::move(handle))
    {
        wait();
    }
    ~event_source() { ready_.release(); } // also cancels the wait
    event_source(const event_source &) = delete;
    event_source &operator=(const event_source &) = delete;

    void stop() { stopped_ = true; } // io.run() returns when nothing waits any more

  private:
    void wait()
    {
        ready_.async_wait(asio::posix::stream_descriptor::wait_read, [this](std::error_code ec) {
            if (ec)
                return; // cancelled: `this` may be gone
            while (auto event = supervisor_.next_event())
                handle_(*event);
            if (!stopped_)
                wait();
        });
    }

    procsup::supervisor &supervisor_;
    asio::posix::stream_descriptor ready_;
    handler handle_;
    bool stopped_ = false;
};

// ---- the work: twenty children, four at a time, and how each must end ----------------------------------------------------------

struct job {
    std::string name, script; // for sh -c; without a script the name is the program
    int code = 0, signal = 0;
    exit_cause cause = exit_cause::self;
    int lines = 0; // how many it must print

    procsup::child child{};
    int started = 0, ended = 0, printed = 0;
};

class batch {
  public:
    static constexpr std::uint32_t at_once = 4;

    explicit batch(asio::io_context &io) : events_(io, supervisor_, [this](const procsup::event &event) { on_event(event); })
    {
        jobs_[0] = {"talks", "i=0; while [ $i -lt 50 ]; do echo line $i; i=$((i + 1)); done", 0, 0, exit_cause::self, 50};
        jobs_[1] = {"ignores SIGTERM", "trap '' TERM; echo ready; exec sleep 1000", -1, SIGKILL, exit_cause::stop, 1};
        jobs_[2] = {"too slow", "exec sleep 1000", -1, SIGTERM, exit_cause::deadline};
        jobs_[3] = {"crashes", "kill -SEGV $$", -1, SIGSEGV};
        jobs_[4] = {"no-such-program", ""};
        jobs_[5] = {"fails", "exit 3", 3};
        jobs_[6] = {"fails late", "sleep 0.1; exit 4", 4};
        supervisor_.set_max_running(at_once);
        for (job &job : jobs_)
            start(job);
    }

    bool good() const
    {
        for (const job &job : jobs_)
            if (job.ended != 1)
                return false;
        return done_ && wrong_ == 0 && procsup::live_count() == 0;
    }

  private:
    void start(job &job)
    {
        if (job.name.empty())
            job = {"just ends", "exit 0"};
        procsup::command command(job.script.empty() ? job.name : "sh");
        if (!job.script.empty())
            command.args({"-c", job.script});
        command.stdio(0, procsup::stdio_kind::null)
            .rlimit(RLIMIT_CORE, 0, 0)
            .output_lines(job.lines > 0)
            .stop_step(SIGTERM, 100ms)
            .stop_step(SIGKILL)
            .deadline(job.cause == exit_cause::deadline ? 200ms : 30s)
            .user_pointer(&job); // comes back with each event
        try {
            job.child = supervisor_.spawn(command); // never waits: what finds no free slot is started later, by next_event()
        } catch (const procsup::error &error) {
            on_failed_start(job, error.status()); // or as an event, if it was queued
        }
    }

    void on_failed_start(job &job, procsup::errc why)
    {
        expect(job.script.empty() && job.ended++ == 0 && why == procsup::errc::not_found, job, "failed to start");
        std::printf("%-16s %s\n", job.name.c_str(), make_error_code(why).message().c_str());
        ended_++;
    }

    void on_event(const procsup::event &event)
    {
        if (event.kind() == event_kind::shutdown_done) {
            done_ = true;
            events_.stop();
            return;
        }
        job &job = *event.user_pointer<struct job>();
        auto [pending, running, stopping] = supervisor_.counts();
        expect(running + stopping <= at_once && event.child() == job.child, job, "counts");
        switch (event.kind()) {
        case event_kind::started: expect(job.started++ == 0, job, "started"); break;
        case event_kind::output: on_line(job, supervisor_.event_data()); break;
        case event_kind::exited: on_exit(job, event.exit()); break;
        case event_kind::failed: on_failed_start(job, event.status()); break;
        default: expect(false, job, "an event that nobody asked for");
        }
        if (ended_ == jobs_.size())
            supervisor_.shutdown(1s); // returns at once; one last event says that all is over
    }

    void on_line(job &job, const std::string &line)
    {
        expect(line == (job.lines == 1 ? "ready" : "line " + std::to_string(job.printed)), job, line.c_str());
        job.printed++;
        if (job.cause == exit_cause::stop)
            job.child.terminate_begin(); // returns at once; the steps of its stop plan are wake-ups of the loop like all others
    }

    void on_exit(job &job, const procsup::exit_record &end)
    {
        expect(job.started == 1 && job.ended++ == 0 && job.printed == job.lines, job, "exited");
        expect(end.code() == job.code && end.signal() == job.signal && end.cause() == job.cause, job, "how it ended");
        const std::chrono::duration<double, std::milli> took = end.ended() - end.started();
        std::printf("%-16s %s %-3d %5.0f ms\n", job.name.c_str(), end.signal() ? "signal   " : "exit code",
                    end.signal() ? end.signal() : end.code(), took.count());
        ended_++;
    }

    void expect(bool condition, const job &job, const char *what)
    {
        if (condition)
            return;
        std::fprintf(stderr, "%s: not as expected: %s\n", job.name.c_str(), what);
        wrong_++;
    }

    procsup::supervisor supervisor_;
    event_source events_; // after the supervisor: it goes first
    std::array<job, 20> jobs_;
    std::size_t ended_ = 0;
    int wrong_ = 0;
    bool done_ = false;
};

int main()
try {
    asio::io_context io;
    batch batch(io);
    io.run();
    std::printf("20 children, %s\n", batch.good() ? "each as expected" : "NOT as expected");
    return batch.good() ? 0 : 1;
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
