// Several children: which has ended first, and all of them, from whatever range; a signal handler ends the wait; a signal to one process.
#include "check.hpp"

#include <array>
#include <csignal>
#include <pthread.h>
#include <sys/time.h>
#include <vector>

using namespace procsup;
using namespace std::chrono_literals;

static void a_range_of_children()
{
    supervisor owner;
    std::vector<child> children;
    for (int i = 0; i < 3; i++)
        children.push_back(owner.spawn(pausing()));
    std::error_code ec;
    CHECK_THROWS(wait_any(children, 1ms), errc::timeout);
    CHECK(wait_any(children, 0ms, ec) == 3 && ec == errc::timeout && ec == std::errc::timed_out);
    children[1].signal_process(SIGKILL);
    CHECK(wait_any(children) == 1);
    CHECK(wait_any(children, patience(), ec) == 1 && !ec);
    CHECK(children[1].reap(0ms).signal() == SIGKILL);

    const std::array<child_ref, 2> two = {children[2], children[0]};
    CHECK_THROWS(wait_all(two, 1ms), errc::timeout);
    children[0].signal(SIGTERM);
    CHECK(wait_any(two) == 1);
    children[2].signal_process(SIGTERM, ec);
    CHECK(!ec);
    wait_all(children);
    wait_all(two, 0ms, ec);
    CHECK(!ec);
    CHECK(wait_any({children[0], children[1]}) == 0);
    wait_all({children[0], children[1]}, 0ms);
    ps_child *handles[] = {children[2].handle()};
    CHECK(wait_any(handles) == 0);

    CHECK_THROWS(wait_any(std::vector<child>()), errc::invalid_argument);
    children[1].reset();
    CHECK_THROWS(wait_all(children), errc::bad_handle);
    children[0].signal_process(0, ec);
    CHECK(ec == errc::exited);
}

static void stopped_and_not()
{
    supervisor owner;
    child watched = owner.spawn(pausing().watch_stops(5ms));
    CHECK(owner.next_event(patience())->kind() == event_kind::started);
    CHECK(watched.stopped() == 0);
    watched.signal_process(SIGSTOP);
    const auto told = owner.next_event(patience());
    CHECK(told->kind() == event_kind::stopped && told->signal() == SIGSTOP);
    std::error_code ec;
    CHECK(watched.stopped(ec) == SIGSTOP && !ec && watched.state() == child_state::running);
    watched.signal_process(SIGCONT);
    const auto goes = owner.next_event(patience());
    CHECK(goes->kind() == event_kind::continued && goes->signal() == 0);
}

static volatile sig_atomic_t handled;

static void a_handler_ends_them()
{
    struct sigaction action = {};
    action.sa_handler = [](int) { handled = handled + 1; };
    sigaction(SIGALRM, &action, nullptr);
    const itimerval often = {{0, 5000}, {0, 5000}}, never = {};
    supervisor owner;
    std::vector<child> children;
    children.push_back(owner.spawn(pausing().readiness(readiness_kind::notify, forever)));
    CHECK(owner.next_event(patience())->kind() == event_kind::started);
    std::error_code ec;
    setitimer(ITIMER_REAL, &often, nullptr);
    CHECK(!owner.next_event(forever));
    CHECK_THROWS(wait_any(children), errc::interrupted);
    CHECK_THROWS(children[0].wait_ready(), errc::interrupted);
    wait_all(children, forever, ec);
    setitimer(ITIMER_REAL, &never, nullptr);
    CHECK(ec == errc::interrupted && ec == std::errc::interrupted && handled >= 4);
}

int main()
{
    a_range_of_children();
    stopped_and_not();
    a_handler_ends_them();
    return 0;
}
