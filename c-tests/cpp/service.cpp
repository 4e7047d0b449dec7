// A program that is itself a child, in C++: what it was given, what it says, whether it is watched; both styles of errors.
#include "check.hpp"

#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>

using namespace procsup;

static void set(const char *name, const std::string &value) { CHECK(setenv(name, value.c_str(), 1) == 0); }

static void descriptors_are_found()
{
    std::error_code ec;
    CHECK(listen_fds() == 0 && listen_fds(ec) == 0 && !ec);
    CHECK_THROWS(listen_fd_named("http"), errc::not_found);
    CHECK(!listen_fd_named("http", ec) && ec == errc::not_found);
    CHECK(listen_fd_name(3, ec).empty() && ec == errc::not_found);

    const int source = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(source >= 0 && (source == 3 || dup2(source, 3) == 3) && dup2(3, 4) == 4);
    set("LISTEN_FDS", "2");
    set("LISTEN_PID", std::to_string(getpid()));
    set("LISTEN_FDNAMES", "http:admin");
    CHECK(listen_fds() == 2 && listen_fds(ec) == 2 && !ec);
    CHECK(listen_fd_name(3) == "http" && listen_fd_name(4, ec) == "admin" && !ec);
    {
        unique_fd admin = listen_fd_named("admin"), http = listen_fd_named("http", ec);
        CHECK(admin.get() == 4 && http.get() == 3 && !ec && (fcntl(4, F_GETFD) & FD_CLOEXEC));
    }
    CHECK(fcntl(3, F_GETFD) < 0); // they were ours to close
    CHECK_THROWS(listen_fds(), errc::protocol);
    CHECK_THROWS(listen_fd_named(std::string("a\0b", 3)), errc::invalid_argument);
}

static void the_starter_is_told()
{
    std::error_code ec;
    CHECK(notify("READY=1") && notify(std::string("READY=1"), ec) && !ec); // nobody asked
    notify_barrier(0ms);
    set("NOTIFY_SOCKET", "nowhere");
    CHECK_THROWS(notify("READY=1"), errc::protocol);
    CHECK(!notify("READY=1", ec) && ec == errc::protocol);

    sockaddr_un address{};
    socklen_t length = sizeof address;
    address.sun_family = AF_UNIX;
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(bind(fd, reinterpret_cast<sockaddr *>(&address), sizeof address.sun_family) == 0);
    CHECK(getsockname(fd, reinterpret_cast<sockaddr *>(&address), &length) == 0);
    set("NOTIFY_SOCKET", "@" + std::string(address.sun_path + 1, length - offsetof(sockaddr_un, sun_path) - 1));
    CHECK(notify("READY=1"));
    char text[64];
    CHECK(recv(fd, text, sizeof text, MSG_DONTWAIT) == 7 && std::memcmp(text, "READY=1", 7) == 0);
    CHECK(notify_main_process() && recv(fd, text, sizeof text, MSG_DONTWAIT) > 8 && std::memcmp(text, "MAINPID=", 8) == 0);
    CHECK(notify_main_process(0, "READY=1") && recv(fd, text, sizeof text, MSG_DONTWAIT) > 16);
    CHECK(notify_main_process(0, "READY=1", ec) && !ec && recv(fd, text, sizeof text, MSG_DONTWAIT) > 16);
    CHECK_THROWS(notify_main_process(-1), errc::invalid_argument);
    CHECK(notify_reloading() && notify_reloading(ec) && !ec);
    CHECK(recv(fd, text, sizeof text, MSG_DONTWAIT) > 12 && std::memcmp(text, "RELOADING=1\n", 12) == 0 && recv(fd, text, sizeof text, MSG_DONTWAIT) > 12);
    CHECK(notify_fds("FDSTORE=1", {fd}) && notify_fds("FDSTORE=1", {}, ec) && !ec);
    CHECK_THROWS(notify_fds("FDSTORE=1", {-1}), errc::invalid_argument);
    CHECK(recv(fd, text, sizeof text, MSG_DONTWAIT) == 9 && recv(fd, text, sizeof text, MSG_DONTWAIT) == 9);
    CHECK_THROWS(notify_barrier(1ms), errc::timeout);
    notify_barrier(1ms, ec);
    CHECK(ec == errc::timeout);
    while (notify("STATUS=x"))
        ;
    CHECK(!notify("STATUS=x", ec) && !ec); // not sent, and no error
    close(fd);
}

static void the_watchdog_is_a_duration()
{
    std::error_code ec;
    CHECK(!watchdog_enabled() && !watchdog_enabled(ec) && !ec);
    set("WATCHDOG_USEC", "2000000");
    CHECK(watchdog_enabled() == 2s && watchdog_enabled(ec) == 2s && !ec);
    set("WATCHDOG_USEC", "soon");
    CHECK_THROWS(watchdog_enabled(), errc::protocol);
    CHECK(!watchdog_enabled(ec) && ec == errc::protocol);
}

int main()
{
    for (const char *name : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
        CHECK(unsetenv(name) == 0);
    descriptors_are_found();
    the_starter_is_told();
    the_watchdog_is_a_duration();
}
