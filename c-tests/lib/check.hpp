// What the C++ tests use: checks that stay in release builds, and the helper programs. One test is one program with one main(): exit 0 is
// a pass, 1 a failure, 77 a skip. Below procsup.hpp everything is tested through C (harness.h); here it is the C++ part that is.
#ifndef PROCSUP_CHECK_HPP
#define PROCSUP_CHECK_HPP

#include <procsup.hpp>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#ifndef HELPER_DIR
#define HELPER_DIR "helpers"
#endif

using namespace std::chrono_literals;

[[noreturn]] inline void failed(const char *file, int line, const char *what)
{
    std::fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
    std::fflush(nullptr);
    procsup::kill_and_reap_all(5000ms); // a child that lives on holds the runner's pipe
    _exit(1);
}

#define CHECK(condition) ((condition) ? (void)0 : failed(__FILE__, __LINE__, #condition))

// The expression must throw a procsup::error of this status.
#define CHECK_THROWS(expression, expected)                                                                                         \
    do {                                                                                                                           \
        bool thrown_ = false;                                                                                                      \
        try {                                                                                                                      \
            (void)(expression);                                                                                                    \
        } catch (const procsup::error &caught_) {                                                                                  \
            thrown_ = true;                                                                                                        \
            if (caught_.status() != (expected))                                                                                    \
                failed(__FILE__, __LINE__, caught_.what());                                                                        \
        }                                                                                                                          \
        if (!thrown_)                                                                                                              \
            failed(__FILE__, __LINE__, #expression " threw nothing");                                                              \
    } while (0)

// Under valgrind and the like everything takes longer.
inline int slowness()
{
    const char *text = std::getenv("PROCSUP_TEST_SLOWNESS");
    return text && std::atoi(text) > 1 ? std::atoi(text) : 1;
}

inline procsup::milliseconds patience() { return 20s * slowness(); }

// True as soon as the condition holds, false when it did not in time.
template <typename Condition> bool wait_until(Condition condition)
{
    const auto until = std::chrono::steady_clock::now() + patience();
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until)
            return false;
        ::poll(nullptr, 0, 1);
    }
    return true;
}

inline procsup::command helper(const char *name) { return procsup::command(std::string(HELPER_DIR "/") + name); }
inline procsup::command shell(const char *script) { return procsup::command("/bin/sh", {"-c", script}); }

// A child that runs until it is killed.
inline procsup::command pausing() { return helper("pause_forever"); }

inline bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }
inline bool runs(int pid) { return ::kill(pid, 0) == 0; }

// Runs `body` in a forked copy of this process; what it CHECKs decides.
template <typename Body> void in_forked_process(Body body)
{
    std::fflush(nullptr);
    const pid_t pid = ::fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        body();
        _exit(0);
    }
    int status = -1;
    pid_t got;
    do
        got = ::waitpid(pid, &status, 0);
    while (got < 0 && errno == EINTR);
    CHECK(got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif
