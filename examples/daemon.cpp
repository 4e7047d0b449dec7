// A daemon that is started once and given up after three crashes in 30 s, from C++17 with procsup.hpp: what daemon.c does on demand.
//
//   c++ -std=c++17 daemon.cpp $(pkg-config --cflags --libs procsup) -o daemon && ./daemon
/* ctest */
#include <procsup.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

sockaddr_un address_of(const std::string &path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

// The daemon: says its pid to whoever asks, until it is told to crash.
int serve(const std::string &path)
{
    const sockaddr_un address = address_of(path);
    procsup::unique_fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    unlink(path.c_str()); // a dead one's
    if (bind(listener.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 || listen(listener.get(), 64) != 0)
        return 1;
    procsup::notify("READY=1");
    for (char request = 0;;) {
        procsup::unique_fd client(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (read(client.get(), &request, 1) != 1)
            continue; // who only looked whether somebody accepts
        if (request == 'c')
            std::abort();
        dprintf(client.get(), "%d", static_cast<int>(getpid()));
    }
}

int ask(const std::string &path, char request)
{
    const sockaddr_un address = address_of(path);
    procsup::unique_fd server(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    char answer[16] = "";
    if (connect(server.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 || write(server.get(), &request, 1) != 1 ||
        read(server.get(), answer, sizeof answer - 1) < 0)
        return 0;
    return std::atoi(answer);
}

int story(const std::string &dir)
{
    const std::string path = dir + "/greeter.socket";
    procsup::supervisor supervisor;
    procsup::budget attempts(3, 30s);
    const auto daemon = procsup::command("/proc/self/exe")
                            .args({"serve", path.c_str()})
                            .stdio(0, procsup::stdio_kind::null)
                            .rlimit(RLIMIT_CORE, 0, 0) // it crashes on purpose here
                            .readiness(procsup::readiness_kind::notify, 10s)
                            .budget(attempts, "greeter");
    const auto start = [&] { return supervisor.spawn_once(dir, "greeter", daemon, "unix:" + path, 10s); };
    int started = 0;
    try {
        while (started < 4) {
            const procsup::child child = start(); // ready, whoever has started it; ours if it is not empty
            std::printf("start %d: pid %d\n", ++started, ask(path, 'h'));
            ask(path, 'c');
            child.reap(procsup::forever);
        }
    } catch (const procsup::error &refused) {
        if (refused.status() != procsup::errc::budget_exhausted)
            throw;
        std::printf("given up, again in %lld ms\n", static_cast<long long>(refused.retry_after().value_or(0ms).count()));
    }
    attempts.reset_key("greeter"); // the operator has mended it
    const procsup::child child = start();
    std::printf("after a reset: pid %d\n", ask(path, 'h'));
    child.terminate();
    return started == 3 ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

int main(int argc, char **argv)
try {
    if (argc == 3)
        return serve(argv[2]);
    char dir[] = "/tmp/greeter-XXXXXX";
    if (mkdtemp(dir) == nullptr)
        return EXIT_FAILURE;
    const int result = story(dir);
    std::filesystem::remove_all(dir);
    return result;
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return EXIT_FAILURE;
}
