// Checksums of files by sha256sum, four at a time, under Asio, through procsup.hpp. The same program in ten languages: docs/languages.md.
//
//     c++ -std=c++17 checksums.cpp $(pkg-config --cflags --libs procsup) -pthread -o checksums && ./checksums FILE... +LATER...
//
// +LATER is a file that is not there yet: it is tried again until it is, and a child of the program's own (posix_spawn, waited for by SIGCHLD)
// makes it meanwhile. Ctrl-C stops all children by their stop plans; then the loop ends by itself.
//
// The trap is in the watcher: a stream_descriptor closes what it holds, and this descriptor is the supervisor's: release() it. Asio's SIGCHLD handler
// is the program's own affair: waitpid for the one pid, never for -1, which would take the statuses of procsup's children.
/* needs-header: asio.hpp */
#define ASIO_STANDALONE
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/signal_set.hpp>

#include <procsup.hpp>

#include <cstdio>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <vector>

extern char **environ;
using namespace std::chrono_literals;
using procsup::event_kind;

struct file {
    std::string name, result;
    procsup::child child;
};

class checksums {
  public:
    static constexpr std::uint32_t at_once = 4;

    checksums(asio::io_context &io, int count, char **names)
        : files_(count), ready_(io, supervisor_.fd()), interrupt_(io, SIGINT), child_ended_(io, SIGCHLD)
    {
        supervisor_.set_max_running(at_once);
        wait();
        wait_for_own_child();
        interrupt_.async_wait([this](std::error_code ec, int) {
            if (ec || done_)
                return;
            interrupted_ = true;
            end();
        });
        for (int i = 0; i < count; i++) {
            const bool later = names[i][0] == '+';
            files_[i].name = names[i] + later;
            procsup::command command("sha256sum", {files_[i].name});
            if (later)
                command.restart(procsup::restart_policy::on_failure, 10ms, 100ms).restart_limit(0, 10s); // 0: it never gives up
            command.env("LC_ALL", "C").stdio(0, procsup::stdio_kind::null).capture(4096).user_pointer(&files_[i]);
            files_[i].child = supervisor_.spawn(command); // or stands in line
        }
    }
    ~checksums() { ready_.release(); }

    int report() const
    {
        for (const file &file : files_)
            std::printf("%s %s\n", file.name.c_str(), file.result.c_str());
        if (own_ == own::ended)
            std::printf("own child: exit code %d\n", own_code_);
        if (interrupted_)
            std::printf("interrupted\n");
        std::printf("%zu files, %s %u at once, %u children left\n", files_.size(), most_ <= at_once ? "never more than" : "MORE THAN", at_once,
                    procsup::live_count());
        return interrupted_ ? 130 : 0;
    }

  private:
    void wait()
    {
        ready_.async_wait(ready_.wait_read, [this](std::error_code ec) {
            if (ec)
                return;
            while (auto event = supervisor_.next_event())
                on_event(*event);
            if (done_)
                return; // nothing is waited for any more: io.run() returns
            end_if_all_is_over();
            wait();
        });
    }

    void on_event(const procsup::event &event)
    {
        file *file = event.user_pointer<struct file>();
        switch (event.kind()) {
        case event_kind::started: most_ = std::max(most_, ++running_); break;
        case event_kind::exited:
            running_--;
            ended(*file, event);
            break;
        case event_kind::restarting: // comes right behind exited: that was not the last run
            file->result.clear();
            if (own_ == own::not_started)
                make(file->name);
            break;
        case event_kind::failed:
        case event_kind::cancelled: file->result = name(event.kind()); break;
        case event_kind::shutdown_done:
            done_ = true;
            interrupt_.cancel();
            child_ended_.cancel();
            break;
        default: break;
        }
    }

    void ended(file &file, const procsup::event &event)
    {
        const procsup::exit_record end = event.exit();
        std::string output = file.child.output();
        output.erase(output.find_last_not_of('\n') + 1);
        if (end.kind() != procsup::exit_kind::exited)
            file.result = std::string(procsup::signal_name(end.signal())) + ", " + name(end.cause());
        else if (end.code() != 0)
            file.result = "exit code " + std::to_string(end.code()) + ": " + output;
        else
            file.result = output.substr(0, output.find(' ')) + (event.run() > 1 ? " at a later run" : "");
    }

    // A child that procsup knows nothing of.
    void make(const std::string &name)
    {
        const char *args[] = {"sh", "-c", "echo it has come >\"$0.new\" && mv \"$0.new\" \"$0\"; exit 7", name.c_str(), nullptr};
        const int failed = ::posix_spawnp(&own_pid_, args[0], nullptr, nullptr, const_cast<char **>(args), environ);
        if (failed != 0)
            throw std::system_error(failed, std::generic_category(), "posix_spawnp");
        own_ = own::running;
    }

    void wait_for_own_child()
    {
        child_ended_.async_wait([this](std::error_code ec, int) {
            if (ec || done_) // one that was ready already is not cancelled
                return;
            int status = 0;
            if (own_ == own::running && ::waitpid(own_pid_, &status, WNOHANG) == own_pid_) {
                own_ = own::ended;
                own_code_ = WEXITSTATUS(status);
                end_if_all_is_over();
            }
            wait_for_own_child(); // procsup's children raise it, too
        });
    }

    void end_if_all_is_over()
    {
        for (const file &file : files_)
            if (file.result.empty())
                return;
        if (own_ != own::running)
            end();
    }

    void end()
    {
        if (!ending_)
            supervisor_.shutdown(1s); // one last event says that all is over
        ending_ = true;
    }

    enum class own { not_started, running, ended };
    procsup::supervisor supervisor_;
    std::vector<file> files_; // at the end the watchers go first, then the handles, then the supervisor
    asio::posix::stream_descriptor ready_;
    asio::signal_set interrupt_, child_ended_;
    std::uint32_t running_ = 0, most_ = 0;
    own own_ = own::not_started;
    pid_t own_pid_ = 0;
    int own_code_ = 0;
    bool interrupted_ = false, ending_ = false, done_ = false;
};

int main(int argc, char **argv)
try {
    asio::io_context io;
    checksums work(io, argc - 1, argv + 1);
    io.run();
    return work.report();
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
