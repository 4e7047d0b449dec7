// A handoff from C++: two generations in one process (the second takes over by the control path), in both styles of errors.
#include "check.hpp"

#include <cstdlib>
#include <cstring>
#include <sys/stat.h>
#include <thread>

using namespace procsup;

template <typename T>
constexpr bool owns = !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> && std::is_nothrow_move_constructible_v<T> &&
                      std::is_nothrow_move_assignable_v<T> && std::is_nothrow_destructible_v<T>;
static_assert(owns<handoff> && std::is_trivially_copyable_v<handoff_event>);
static std::error_code ec_for_types;
static constexpr milliseconds time_for_types{0};
static_assert(noexcept(handoff("x", ec_for_types)) && noexcept(std::declval<handoff &>().next_event(time_for_types, ec_for_types)));
static_assert(noexcept(std::declval<handoff &>().take_fd("x", ec_for_types)) && !noexcept(std::declval<handoff &>().take_fd("x")));
static_assert(noexcept(std::declval<handoff &>().sealed(1, ec_for_types)) && noexcept(std::declval<handoff &>().warm(ec_for_types)));

static std::string directory()
{
    char path[] = "/tmp/procsup-test-XXXXXX";
    CHECK(::mkdtemp(path));
    return path;
}

#define take(side, kind) take_at(__LINE__, (side), handoff_event_kind::kind)
static handoff_event take_at(int line, handoff &side, handoff_event_kind kind)
{
    auto event = side.next_event(patience());
    if (!event || event->kind() != kind)
        failed(__FILE__, line, event ? side.reason().c_str() : "no event");
    return *event;
}

static void the_first_generation(const std::string &dir)
{
    handoff server(dir + "/first");
    CHECK(server && server.role() == handoff_role::first && server.generation() == 1 && server.fd() > 2);
    pollfd ready{server.fd(), POLLIN, 0};
    CHECK(::poll(&ready, 1, 0) == 1);
    CHECK(server.phase() == handoff_phase::loading && !handoff::was_spawned() && !handoff::was_spawned(dir + "/first"));
    CHECK(!server.take_fd("http") && server.fd_names().empty() && server.state().empty()); // what is not there is no error
    const handoff_event live = take(server, live);
    CHECK(live.revision() == 0 && !live.unsealed() && !live.deadline() && live.time().time_since_epoch() > 0s && live.raw().size > 0);
    CHECK(live.peer_pid() == 0 && live.reason() == errc::ok && live.phase() == handoff_phase::opening);
    CHECK(server.phase() == handoff_phase::opening);
    CHECK_THROWS(server.drained(), errc::state);
    server.live();
    std::error_code no_error;
    CHECK(server.phase(no_error) == handoff_phase::owner && !no_error);
    CHECK(!server.next_event());
    CHECK_THROWS(server.live(), errc::state);
    CHECK_THROWS(server.warm(), errc::state);
    CHECK_THROWS(server.sealed(1), errc::state);
    CHECK_THROWS(server.failed("because"), errc::state);
    CHECK_THROWS(server.cancel(), errc::state);
    CHECK_THROWS(server.remove_fd("http"), errc::not_found);
    CHECK_THROWS(server.set_fd("", 2), errc::invalid_argument);
    CHECK_THROWS(server.take_fd(std::string("a\0b", 3)), errc::invalid_argument);
    CHECK_THROWS(server.set_timeout(handoff_timeout::live, 0ms), errc::invalid_argument);
    CHECK_THROWS(server.upgrade(pausing().die_with_host(), 1s), errc::invalid_argument);
    CHECK_THROWS(handoff("/no/such/directory/control"), errc::not_found);

    handoff moved(std::move(server));
    CHECK(!server && moved && moved.role() == handoff_role::first);
    CHECK_THROWS(server.role(), errc::bad_handle);
    CHECK_THROWS(server.take_fd("http"), errc::bad_handle);
    CHECK_THROWS(server.next_event(), errc::bad_handle);
    CHECK(is_open(moved.fd()));

    // Upgraded to programs that are none of its kind.
    moved.upgrade(pausing(), 10s);
    CHECK_THROWS(moved.upgrade(pausing(), 10s), errc::in_progress);
    moved.cancel();
    CHECK(take(moved, aborted).reason() == errc::cancelled && !moved.reason().empty());
    moved.upgrade(command("true"), 10s);
    const handoff_event aborted = take(moved, aborted);
    CHECK(aborted.reason() == errc::exited && aborted.peer_pid() > 0 && aborted.handoff_id() > 0);
    try {
        moved.upgrade(command("/no/such/program"), 1s);
        CHECK(!"it ran");
    } catch (const error &caught) {
        CHECK(caught.status() == errc::not_found && std::strcmp(caught.step(), "exec") == 0);
    }
    in_forked_process([&] { CHECK_THROWS(moved.role(), errc::forked); });
    CHECK(wait_until([&] { return !moved.next_event() && live_count() == 0; }));
}

// The successor's constructor waits for what the owner offers, who must look after his handoff meanwhile.
static handoff successor_of(handoff &owner, const std::string &path)
{
    handoff made(nullptr);
    std::thread other([&] { made = handoff(path); });
    CHECK(wait_until([&] {
        CHECK(!owner.next_event());
        return bool(made);
    }));
    other.join();
    return made;
}

static void two_generations(const std::string &dir)
{
    const std::string path = dir + "/two";
    handoff old(path);
    old.set_build_id("one");
    take(old, live);
    old.live();
    old.set_timeout(handoff_timeout::probation, 20ms);
    old.set_mode(handoff_mode::exclusive);
    int ends[2];
    CHECK(::pipe2(ends, O_CLOEXEC) == 0);
    const unique_fd in(ends[0]), out(ends[1]);
    old.set_fd("in", in.get());
    old.set_fd("out", out.get());
    old.set_fd("other", 2);
    old.set_fd("gone", 2);
    old.remove_fd("gone");
    old.set_state(std::string_view("a\0b\nc", 5));

    handoff next = successor_of(old, path);
    CHECK(next.role() == handoff_role::successor && next.generation() == 1);
    CHECK((next.fd_names() == std::vector<std::string>{"in", "other", "out"}));
    CHECK(next.state() == std::string("a\0b\nc", 5));
    unique_fd taken = next.take_fd("out");
    CHECK(taken && taken.get() != out.get() && !next.take_fd("out") && ::write(taken.get(), "x", 1) == 1);
    char byte = 0;
    CHECK(::read(in.get(), &byte, 1) == 1 && byte == 'x');
    next.warm();
    CHECK_THROWS(next.warm(), errc::state);
    const handoff_event drain = take(old, drain);
    CHECK(drain.deadline() && *drain.deadline() > drain.time() && drain.peer_pid() == ::getpid());
    old.drained(3);
    CHECK(!old.next_event() && !next.next_event()); // it shows that it is awake
    old.pass_connection(in.get(), "half a req");
    old.pass_connection(out.get());
    take(old, seal);
    old.pass_connection(in.get(), std::string_view("half\0a request", 14));
    old.pass_connection(2);
    CHECK(old.keep_connection(2) && !old.keep_connection(2));
    CHECK_THROWS(old.pass_connection(-1), errc::invalid_argument);
    CHECK_THROWS(next.take_connection(), errc::state);
    old.set_state("");
    old.sealed(~std::uint64_t{0});
    // What has changed is acknowledged first: both have to look after their handoffs.
    std::optional<handoff_event> told;
    CHECK(wait_until([&] {
        CHECK(!old.next_event());
        return bool(told = next.next_event());
    }));
    const handoff_event live = *told;
    CHECK(live.kind() == handoff_event_kind::live && !live.unsealed() && live.peer_pid() == ::getpid());
    CHECK(live.revision() == ~std::uint64_t{0} && live.handoff_id() == drain.handoff_id());
    CHECK(next.state().empty() && next.generation() == 2);
    handoff::connection one = next.take_connection(), other = next.take_connection();
    CHECK(one && other && !next.take_connection());
    if (one.read.empty())
        std::swap(one, other);
    CHECK(one.read == std::string("half\0a request", 14) && other.read.empty());
    CHECK(::write(other.fd.get(), "y", 1) == 1 && ::read(one.fd.get(), &byte, 1) == 1 && byte == 'y');
    std::error_code none;
    CHECK(!next.take_connection(none) && !none);
    next.live();
    CHECK(next.fd_names().empty() && !next.take_fd("in"));
    take(old, committed);
    bool retired = false, committed = false;
    CHECK(wait_until([&] {
        if (auto event = old.next_event())
            retired = event->kind() == handoff_event_kind::retire;
        if (auto event = next.next_event())
            committed = event->kind() == handoff_event_kind::committed;
        return retired && committed;
    }));
    // What came of it: the same on both sides.
    const std::optional<handoff_outcome> record = old.outcome(), same = next.outcome(0);
    CHECK(record && same && record->committed() && record->reason() == errc::ok && record->handoff_id() == drain.handoff_id());
    CHECK(record->phase() == handoff_phase::settled && record->mode() == handoff_mode::exclusive && !record->unsealed());
    CHECK(record->old_build_id() == "one" && record->new_build_id().empty() && record->old_pid() == ::getpid() && record->new_pid() == ::getpid());
    CHECK(record->old_generation() == 1 && record->new_generation() == 2 && record->gap() > 0ns && record->gap() == same->gap());
    CHECK(record->connections_open() == 3 && record->connections_passed() == 2 && record->connections_taken() == 2 && record->connections_left() == 1);
    CHECK(record->began() < record->ended() && record->raw().sealed_ns > 0);
    CHECK(!old.outcome(1) && old.outcome_text().find("committed") != std::string::npos);
    CHECK(next.outcome_text(0, render_format::json).front() == '{' && next.outcome_text(0, render_format::html).back() == '\n');
    CHECK_THROWS(old.outcome_text(0, render_format::html_brief), errc::invalid_argument);
    CHECK_THROWS(old.outcome_text(1), errc::not_found);
    CHECK_THROWS(next.set_build_id("two\nlines"), errc::invalid_argument);
    old.reset();
    CHECK(!old && ::access(path.c_str(), F_OK) == 0);
    next.reset();
    CHECK(::access(path.c_str(), F_OK) != 0);
}

static void with_error_codes(const std::string &dir)
{
    std::error_code ec;
    error_info why;
    CHECK(!handoff("/no/such/directory/control", ec) && ec == errc::not_found && ec == std::errc::no_such_file_or_directory);
    handoff server(dir + "/codes", ec);
    CHECK(!ec && server && server.role(ec) == handoff_role::first && !ec && server.generation(ec) == 1 && !ec && server.fd(ec) > 2 && !ec);
    auto event = server.next_event(patience(), ec);
    CHECK(!ec && event && event->kind() == handoff_event_kind::live);
    server.live(ec);
    CHECK(!ec);
    CHECK(!server.next_event(0ms, ec) && !ec);
    server.warm(ec);
    CHECK(ec == errc::state);
    server.drained(0, ec);
    CHECK(ec == errc::state);
    server.sealed(0, ec);
    CHECK(ec == errc::state);
    server.failed("because", ec);
    CHECK(ec == errc::state);
    CHECK(!server.outcome(0, ec) && !ec);
    CHECK(server.outcome_text(0, render_format::text, ec).empty() && ec == errc::not_found);
    server.set_build_id("", ec);
    CHECK(ec == errc::invalid_argument);
    server.set_build_id("v1", ec);
    CHECK(!ec);
    server.cancel(ec);
    CHECK(ec == errc::state);
    server.set_mode(handoff_mode::overlap, ec);
    CHECK(!ec);
    server.set_timeout(handoff_timeout::seal, -1ms, ec);
    CHECK(ec == errc::invalid_argument);
    server.set_timeout(handoff_timeout::probation, 0ms, ec);
    CHECK(!ec);
    server.set_fd("x", 2, ec);
    CHECK(!ec);
    server.set_fd("x", 9999, ec);
    CHECK(ec == errc::invalid_argument);
    server.remove_fd("x", ec);
    CHECK(!ec);
    server.remove_fd("x", ec);
    CHECK(ec == errc::not_found);
    CHECK(!server.take_fd("x", ec) && !ec);
    CHECK(!server.take_fd("", ec) && ec == errc::invalid_argument);
    CHECK(server.fd_names(ec).empty() && !ec);
    server.set_state("abc", ec);
    CHECK(!ec && server.state(ec).empty() && !ec && server.reason(ec).empty() && !ec);
    server.upgrade(command("/no/such/program"), 1s, ec, why);
    CHECK(ec == errc::not_found && why.error_number() == ENOENT && std::strcmp(why.step(), "exec") == 0);
    server.upgrade(command("true"), 1s, ec); // an ec that is set already
    CHECK(ec == errc::not_found && !server.next_event());
    ec.clear();
    server.upgrade(command("true"), 0ms, ec);
    CHECK(ec == errc::invalid_argument);
    ec.clear();
    server.upgrade(command("true"), 10s, ec);
    CHECK(!ec && server.next_event(patience(), ec)->reason() == errc::exited);
    server.reset();
    CHECK(server.role(ec) == handoff_role(-1) && ec == errc::bad_handle);
    CHECK(server.generation(ec) == 0 && ec == errc::bad_handle);
}

int main()
{
    const std::string dir = directory();
    the_first_generation(dir);
    two_generations(dir);
    with_error_codes(dir);
    CHECK(live_count() == 0);
    for (const char *name : {"first", "two", "codes"})
        CHECK(::unlink((dir + "/" + name + ".lock").c_str()) == 0);
    CHECK(::rmdir(dir.c_str()) == 0);
}
