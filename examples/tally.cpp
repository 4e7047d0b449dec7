// The server of tally.c, from C++17 with procsup.hpp. tally.c says what it does, and what generations hand on to each other, in whatever language
// each of them is written.
//
//   c++ -std=c++17 tally.cpp $(pkg-config --cflags --libs procsup) -o tally
#include <procsup.hpp>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <list>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

constexpr std::size_t head_max = 4096, most = 1000;

struct options {
    std::string directory, limit = "256"; // limit: bytes of a record
    std::chrono::milliseconds probation = 2s;
};

// Storage: a record a line.
class log {
  public:
    explicit log(const std::string &path) : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600))
    {
        check(bool(fd_));
    }

    std::uint64_t records() const noexcept { return records_; }

    // What has come since. The old generation may still write, so half a line is only one that is read later.
    void read()
    {
        char chunk[65536];
        for (ssize_t got; (got = pread(fd_.get(), chunk, sizeof chunk, end_)) > 0;) {
            const std::string_view text(chunk, static_cast<std::size_t>(got));
            const std::size_t whole = text.rfind('\n') + 1;
            if (whole == 0)
                return;
            for (const char c : text.substr(0, whole))
                records_ += c == '\n';
            end_ += static_cast<off_t>(whole);
        }
    }

    // Nobody has sealed. What is whole counts, acknowledged or not; half a line is a crash's.
    void repair()
    {
        read();
        check(ftruncate(fd_.get(), end_) == 0 && fdatasync(fd_.get()) == 0);
    }

    void add(std::string text)
    {
        text += '\n';
        check(pwrite(fd_.get(), text.data(), text.size(), end_) == static_cast<ssize_t>(text.size()) && fdatasync(fd_.get()) == 0);
        end_ += static_cast<off_t>(text.size());
        records_++;
    }

  private:
    static void check(bool done)
    {
        if (!done)
            throw std::system_error(errno, std::generic_category(), "log");
    }

    procsup::unique_fd fd_;
    off_t end_ = 0; // of the last whole line that we know
    std::uint64_t records_ = 0;
};

class server {
  public:
    explicit server(options given)
        : given_(std::move(given)), log_(given_.directory + "/log"), signals_(block_signals()), handoff_(given_.directory + "/control")
    {
        handoff_.set_build_id("tally in C++");
        handoff_.set_timeout(procsup::handoff_timeout::seal, 2s);
        handoff_.set_timeout(procsup::handoff_timeout::probation, given_.probation);
        listener_ = handoff_.take_fd("http");
        if (!listener_) {
            listener_ = procsup::listen_fd_named("http");
            handoff_.set_fd("http", listener_.get());
            fcntl(listener_.get(), F_SETFL, fcntl(listener_.get(), F_GETFL) | O_NONBLOCK); // once, while nobody shares it
        }
        warm_up();
    }

    // An exit code. An exception that leaves this server would free the handoff on its way: that is a service which ends in good order, and calls
    // its successor off. What ends an owner by an exception is a crash, and a successor that is warm shall take its place: so no destructor runs.
    int run() noexcept
    {
        try {
            while (!exit_code_)
                wait();
            return *exit_code_;
        } catch (const std::exception &why) {
            note("fatal: "s + why.what());
            std::_Exit(1);
        }
    }

  private:
    struct connection {
        procsup::unique_fd fd;
        std::string read; // of a request that is not whole
    };
    using place = std::list<connection>::iterator;

    static procsup::unique_fd block_signals()
    {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGUSR2);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        return procsup::unique_fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    }

    void note(const std::string &text) const noexcept
    {
        const std::string line = std::to_string(getpid()) + " c++ " + std::to_string(generation_) + ' ' + text + '\n';
        if (write(STDERR_FILENO, line.data(), line.size()) < 0) // in one piece: the generations share it
            return;
    }

    // Everything that may take long, or throw: the old generation serves meanwhile, and is told why it goes on.
    void warm_up()
    try {
        limit_ = std::stoul(given_.limit);
        if (limit_ < 1 || limit_ >= head_max - 1)
            throw std::out_of_range("--limit");
        log_.read();
        if (handoff_.role() == procsup::handoff_role::successor)
            handoff_.warm();
    } catch (const std::exception &why) {
        std::error_code ignored; // a first generation has nobody to tell
        handoff_.failed("warming up: "s + why.what(), ignored);
        throw;
    }

    // ---- requests ----

    bool answer(int fd, const std::string &status)
    {
        const std::string body = "{\"records\":" + std::to_string(log_.records()) + ",\"served\":" + std::to_string(++served_) +
                                 ",\"generation\":" + std::to_string(generation_) + ",\"language\":\"c++\",\"pid\":" + std::to_string(getpid()) + "}\n";
        const std::string text = "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        return send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
    }

    bool serve_request(int fd, std::string_view head)
    {
        const std::string_view method = head.substr(0, head.find(' '));
        head.remove_prefix(std::min(head.size(), method.size() + 1));
        const std::string_view path = head.substr(0, head.find(' '));
        const bool adds = method == "POST" && path.size() > 1 && path[0] == '/';
        if (adds && path.size() - 1 > limit_)
            return answer(fd, "414 URI Too Long");
        if ((!adds && method != "GET") || path.find('\n') != path.npos)
            return answer(fd, "400 Bad Request");
        if (adds)
            log_.add(std::string(path.substr(1)));
        return answer(fd, "200 OK");
    }

    // Reads, and answers all requests that are whole; what is left is the beginning of one. False: it is over.
    bool serve(connection &c)
    {
        char chunk[head_max];
        const ssize_t got = recv(c.fd.get(), chunk, sizeof chunk, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (got <= 0)
            return false;
        c.read.append(chunk, static_cast<std::size_t>(got));
        for (std::size_t end; (end = c.read.find("\r\n\r\n")) != std::string::npos; c.read.erase(0, end + 4))
            if (!serve_request(c.fd.get(), std::string_view(c.read).substr(0, end)))
                return false;
        return c.read.size() < head_max;
    }

    // shutdown(2) first: for as long as the old generation stands by, it has this connection as well.
    void drop(place c)
    {
        shutdown(c->fd.get(), SHUT_RDWR);
        connections_.erase(c);
    }

    void accept_one()
    {
        if (connections_.size() >= most)
            return;
        procsup::unique_fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (fd)
            connections_.push_back({std::move(fd), {}});
    }

    // ---- the handoff ----

    void live(const procsup::handoff_event &event)
    {
        const bool first = handoff_.role() == procsup::handoff_role::first;
        if (event.unsealed() || first)
            log_.repair();
        else
            log_.read();
        if (!event.unsealed() && !first && log_.records() != event.revision()) {
            handoff_.failed("the log is not the one that was sealed");
            exit_code_ = 1;
            return;
        }
        const std::string state = handoff_.state();
        const std::size_t at = state.find("\nserved ");
        if (state.rfind("tally 1\n", 0) == 0 && at != state.npos)
            served_ = std::stoull(state.substr(at + 8));
        generation_ = handoff_.generation();
        while (auto taken = handoff_.take_connection())
            connections_.push_back({std::move(taken.fd), std::move(taken.read)});
        serving_ = true;
        handoff_.live();
        note("serves connections=" + std::to_string(connections_.size()) + " records=" + std::to_string(log_.records()));
    }

    void seal()
    {
        serving_ = false;
        for (const connection &c : connections_) {
            std::error_code not_this_one; // no room for it: it ends with this process
            handoff_.pass_connection(c.fd.get(), c.read, not_this_one);
        }
        std::error_code too_late; // RESUME is on its way
        handoff_.set_state("tally 1\nserved " + std::to_string(served_) + '\n', too_late);
        handoff_.sealed(log_.records(), too_late);
    }

    void resume(const procsup::handoff_event &event)
    {
        if (event.unsealed()) { // the successor may have written, and may have read from what was passed on
            log_.repair();
            while (!connections_.empty())
                drop(connections_.begin());
        }
        serving_ = true;
    }

    void hear(const procsup::handoff_event &event)
    {
        using kind = procsup::handoff_event_kind;
        using phase = procsup::handoff_phase;
        std::error_code too_late;
        switch (event.kind()) {
        case kind::live: live(event); break;
        case kind::drain: handoff_.drained(static_cast<std::uint32_t>(connections_.size()), too_late); break;
        case kind::seal: seal(); break;
        case kind::resume: resume(event); break;
        case kind::committed:
            if (event.phase() == phase::settled)
                note_outcome();
            break;
        case kind::retire:
            note_outcome();
            exit_code_ = 0;
            break;
        case kind::aborted:
            note_outcome();
            if (event.phase() == phase::gone)
                exit_code_ = 1;
            break;
        default: break; // none that is not known awaits an answer
        }
    }

    void note_outcome() { note("outcome " + handoff_.outcome_text(0, procsup::render_format::json)); }

    void upgrade()
    try {
        handoff_.upgrade(procsup::command(given_.directory + "/next").arg(given_.directory), 20s);
    } catch (const procsup::error &why) {
        note("not upgraded: "s + why.what());
    }

    void take_signal()
    {
        signalfd_siginfo told{};
        if (read(signals_.get(), &told, sizeof told) != sizeof told)
            return;
        if (told.ssi_signo == SIGUSR2)
            return upgrade();
        leaving_ = true;
        if (handoff_.phase() != procsup::handoff_phase::standby) // there RETIRE comes, or RESUME
            exit_code_ = 0;
    }

    void wait()
    {
        std::vector<pollfd> polled{{handoff_.fd(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
        if (serving_) {
            polled.push_back({listener_.get(), POLLIN, 0});
            for (const connection &c : connections_)
                polled.push_back({c.fd.get(), POLLIN, 0});
        }
        poll(polled.data(), polled.size(), -1);
        // The handoff comes last of all: after a SEAL nothing of this batch may be accepted or read.
        std::size_t i = 3;
        for (place next = connections_.begin(); serving_ && next != connections_.end();) {
            const place c = next++;
            if (polled[i++].revents != 0 && !serve(*c))
                drop(c);
        }
        if (serving_ && polled[2].revents != 0)
            accept_one();
        if (polled[1].revents != 0)
            take_signal();
        while (auto event = exit_code_ ? std::nullopt : handoff_.next_event())
            hear(*event);
        if (leaving_ && serving_)
            exit_code_ = 0;
    }

    options given_;
    log log_;
    procsup::unique_fd signals_, listener_;
    procsup::handoff handoff_;
    std::list<connection> connections_;
    std::size_t limit_ = 0;
    std::uint64_t generation_ = 0, served_ = 0;
    bool serving_ = false, leaving_ = false;
    std::optional<int> exit_code_;
};

} // namespace

int main(int argc, char **argv)
try {
    options given;
    for (int i = 2; i + 1 < argc; i += 2) {
        if (argv[i] == "--limit"s)
            given.limit = argv[i + 1];
        else if (argv[i] == "--probation"s)
            given.probation = std::chrono::milliseconds(std::stol(argv[i + 1]));
        else
            argc = 0;
    }
    if (argc < 2 || argc % 2 != 0) {
        std::fprintf(stderr, "usage: tally DIRECTORY [--limit BYTES] [--probation MS]\n");
        return 2;
    }
    given.directory = argv[1];
    return server(std::move(given)).run();
} catch (const std::exception &why) {
    std::fprintf(stderr, "%s\n", why.what());
    return 1;
}
