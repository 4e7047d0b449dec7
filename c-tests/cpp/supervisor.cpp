// A supervisor from C++: its descriptor, its events, limits, lines, restarts, shutdown; and its destructor, which kills.
#include "check.hpp"

#include <map>
#include <sys/epoll.h>
#include <vector>

using namespace procsup;

static event take(supervisor &owner)
{
    auto next = owner.next_event(patience());
    CHECK(next);
    return *next;
}

static bool readable(const supervisor &owner)
{
    pollfd ready{owner.fd(), POLLIN, 0};
    return ::poll(&ready, 1, 0) == 1;
}

static void events_carry_what_they_say()
{
    supervisor owner;
    int mine = 5;
    command job = shell("echo one; printf two; echo three >&2; exit 3");
    job.output_lines().user_pointer(&mine);
    child started = owner.spawn(job);
    std::map<event_kind, int> seen;
    std::vector<std::string> out, err;
    bool last_is_whole = true;
    for (;;) {
        const event next = take(owner);
        CHECK(next.child() == started && next.user_pointer<int>() == &mine && next.run() == 1 && next.time().time_since_epoch() > 0s);
        seen[next.kind()]++;
        if (next.kind() == event_kind::output) {
            (next.stream() == 1 ? out : err).push_back(owner.event_data());
            if (next.stream() == 1)
                last_is_whole = next.whole_line();
        }
        if (next.kind() == event_kind::exited) {
            CHECK(next.exit().code() == 3 && next.exit().cause() == exit_cause::self && !next.exit().success());
            CHECK(next.status() == errc::ok);
            break;
        }
    }
    CHECK(seen[event_kind::started] == 1 && seen[event_kind::output] == 3);
    CHECK((out == std::vector<std::string>{"one", "two"}) && !last_is_whole && (err == std::vector<std::string>{"three"}));
    CHECK(!owner.next_event() && !readable(owner));
    CHECK(started.reap(0ms).code() == 3);
}

// An edge comes once: who takes all events at each misses none, also none of a timer.
static void an_edge_is_enough_for_who_takes_all()
{
    supervisor owner;
    owner.set_max_running(2);
    owner.set_hold_processor();
    const int watched = owner.fd();
    const unique_fd loop(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event interest{}, ready;
    interest.events = EPOLLIN | EPOLLET;
    CHECK(::epoll_ctl(loop.get(), EPOLL_CTL_ADD, watched, &interest) == 0);
    std::vector<child> children;
    for (int i = 0; i < 20; i++)
        children.push_back(owner.spawn(i == 7 ? pausing().deadline(50ms) : command("true")));
    for (int ended = 0; ended < 20;) {
        CHECK(::epoll_wait(loop.get(), &ready, 1, static_cast<int>(patience().count())) == 1);
        while (auto next = owner.next_event())
            ended += next->kind() == event_kind::exited;
    }
    CHECK(!readable(owner));
}

static void limits_queue_and_cancel()
{
    supervisor owner;
    owner.set_max_running(1);
    owner.set_max_pending(2);
    child first = owner.spawn(pausing()), second = owner.spawn(pausing()), third = owner.spawn(command("/no/such/program"));
    CHECK(first.state() == child_state::running && second.state() == child_state::pending);
    auto [pending, running, stopping] = owner.counts();
    CHECK(pending == 2 && running == 1 && stopping == 0);
    CHECK_THROWS(owner.spawn(pausing()), errc::limit);
    CHECK_THROWS(second.pid(), errc::state);
    CHECK(take(owner).kind() == event_kind::started);
    CHECK(!owner.next_event() && !readable(owner));

    second.terminate_begin();
    const event cancelled = take(owner);
    CHECK(cancelled.kind() == event_kind::cancelled && cancelled.child() == second && second.state() == child_state::cancelled);
    CHECK_THROWS(second.reap(0ms), errc::cancelled);
    first.terminate_begin(0ms);
    std::map<event_kind, int> seen;
    for (int i = 0; i < 2; i++) {
        const event next = take(owner);
        seen[next.kind()]++;
        if (next.kind() == event_kind::failed)
            CHECK(next.child() == third && next.status() == errc::not_found);
    }
    CHECK(seen[event_kind::exited] == 1 && seen[event_kind::failed] == 1);
    std::error_code ec;
    owner.set_hold_processor(false, ec);
    CHECK(!ec);
    error_info why;
    third.reap(0ms, ec, why); // the start's own error
    CHECK(ec == errc::not_found && why.error_number() == ENOENT && std::string(why.step()) == "exec");
}

static void replicas_are_kept_alive()
{
    supervisor owner;
    auto replicas = owner.spawn_replicas(pausing().restart(restart_policy::always, 1ms, 10ms), 3);
    CHECK(replicas.size() == 3);
    for (int i = 0; i < 3; i++)
        CHECK(take(owner).kind() == event_kind::started);
    replicas[1].signal(SIGKILL);
    CHECK(take(owner).kind() == event_kind::exited);
    const event restarting = take(owner), started = take(owner);
    CHECK(restarting.kind() == event_kind::restarting && restarting.delay() >= 0ms && restarting.exit().signal() == SIGKILL);
    CHECK(started.kind() == event_kind::started && started.run() == 2 && started.child() == replicas[1]);
    std::error_code ec;
    CHECK(owner.spawn_replicas(command("/no/such/program"), 2, ec).empty() && ec == errc::not_found);
    CHECK_THROWS(owner.spawn_replicas(command("/no/such/program"), 2), errc::not_found);
}

static void shutdown_ends_in_one_event()
{
    supervisor owner;
    owner.set_max_running(1);
    child first = owner.spawn(pausing()), second = owner.spawn(pausing());
    owner.shutdown(100ms);
    owner.shutdown(100ms);
    CHECK_THROWS(owner.spawn(pausing()), errc::shutdown);
    std::map<event_kind, int> seen;
    errc why = errc::ok;
    for (;;) {
        const event next = take(owner);
        seen[next.kind()]++;
        if (next.kind() == event_kind::cancelled)
            why = next.status();
        if (next.kind() == event_kind::shutdown_done) {
            CHECK(!next.child());
            break;
        }
    }
    CHECK(seen[event_kind::started] == 1 && seen[event_kind::exited] == 1 && seen[event_kind::cancelled] == 1);
    CHECK(first.reap(0ms).cause() == exit_cause::shutdown && !owner.next_event());
    CHECK(why == errc::cancelled || why == errc::shutdown);
    CHECK_THROWS(second.reap(0ms), why);
}

static void its_destructor_kills()
{
    std::vector<int> pids;
    std::vector<child> children;
    {
        supervisor owner;
        for (int i = 0; i < 3; i++) {
            children.push_back(owner.spawn(helper("ignore_term")));
            pids.push_back(children.back().pid());
        }
        CHECK(live_count() == 3);
    }
    CHECK(live_count() == 0);
    for (int pid : pids)
        CHECK(!runs(pid));
    for (const child &job : children)
        CHECK(job.reap(0ms).signal() == SIGKILL && job.reap(0ms).cause() == exit_cause::shutdown);
}

static void everything_at_once()
{
    supervisor one, other;
    child first = one.spawn(pausing()), second = other.spawn(pausing());
    CHECK(!signal_all(65) && signal_all(SIGCONT) && live_count() == 2);
    CHECK(kill_and_reap_all(patience()) == 0 && live_count() == 0);
    CHECK(first.reap(0ms).cause() == exit_cause::kill_all && second.reap(0ms).signal() == SIGKILL);
    CHECK(version() == (PS_VERSION_MAJOR << 16 | PS_VERSION_MINOR << 8 | PS_VERSION_PATCH) && version_string()[0] == '0');
}

static void readiness_is_told_and_waited_for()
{
    supervisor owner;
    child ready = owner.spawn(shell("echo >&5; exec sleep 600").readiness(readiness_kind::fd, "5", patience()));
    ready.wait_ready(patience());
    CHECK(ready.notified().ready == 1 && ready.status_text().empty());
    CHECK(take(owner).kind() == event_kind::started && take(owner).kind() == event_kind::ready);

    std::error_code ec;
    error_info why;
    child dead = owner.spawn(shell("echo no >&2; exit 3").readiness(readiness_kind::notify, forever).capture(100));
    dead.wait_ready(patience(), ec, why);
    CHECK(ec == errc::exited && std::string(why.step()) == "ready" && why.output() == "no\n");
    child slow = owner.spawn(pausing().readiness(readiness_kind::socket, "unix:@procsup-nobody", forever));
    CHECK_THROWS(slow.wait_ready(1ms), errc::timeout);
    slow.wait_ready(1ms, ec);
    CHECK(ec == errc::timeout && slow.state() == child_state::running);
    CHECK_THROWS(owner.spawn(pausing()).notified(), errc::state);
}

int main()
{
    events_carry_what_they_say();
    an_edge_is_enough_for_who_takes_all();
    limits_queue_and_cancel();
    replicas_are_kept_alive();
    readiness_is_told_and_waited_for();
    shutdown_ends_in_one_event();
    its_destructor_kills();
    everything_at_once();
    CHECK(live_count() == 0);
}
