// The second style: nothing is thrown, the std::error_code says what happened; a chain of setters can be checked at its end.
#include "check.hpp"

#include <cstring>

using namespace procsup;

static std::error_code ec_for_types;
static constexpr milliseconds time_for_types{0}; // 0ms is a call that is not noexcept
static_assert(noexcept(command("true", ec_for_types)));
static_assert(noexcept(std::declval<command &>().arg("x", ec_for_types)) && !noexcept(std::declval<command &>().arg("x")));
static_assert(noexcept(supervisor(ec_for_types)) && noexcept(std::declval<supervisor &>().spawn(std::declval<command &>(), ec_for_types)));
static_assert(noexcept(std::declval<supervisor &>().next_event(time_for_types, ec_for_types)));
static_assert(noexcept(std::declval<child &>().reap(time_for_types, ec_for_types)));
static_assert(noexcept(std::declval<child_ref>().pid(ec_for_types)));
static_assert(std::is_error_code_enum_v<errc>);

static void a_chain_stops_at_its_first_failure()
{
    std::error_code ec;
    command echo("echo", ec);
    CHECK(!ec && echo);
    echo.arg("one", ec).arg("two", ec).capture(4096, ec);
    CHECK(!ec);
    child job = spawn(echo, ec);
    CHECK(!ec && job.reap(patience(), ec).success() && !ec && job.output(ec) == "one two\n" && !ec);

    echo.arg("three", ec).env("A=B", "x", ec).arg("four", ec).args({"five"}, ec);
    CHECK(ec == errc::invalid_argument && ec == std::errc::invalid_argument);
    CHECK(!spawn(echo, ec) && ec == errc::invalid_argument); // half a command is not run
    ec.clear();
    job = spawn(echo, ec);
    CHECK(!ec && job.reap(patience(), ec).success() && job.output(ec) == "one two three\n");
}

static void codes_tell_what_happened()
{
    std::error_code ec;
    error_info why;
    CHECK(!why);
    child none = spawn(command("/no/such/program"), ec, why);
    CHECK(!none && ec == errc::not_found && ec == std::errc::no_such_file_or_directory && ec.category() == category());
    CHECK(why && why.status() == errc::not_found && why.error_number() == ENOENT && std::strcmp(why.step(), "exec") == 0);
    CHECK(why.code() == ec && std::strstr(why.message(), "/no/such/program"));
    CHECK(std::strcmp(ec.category().name(), "procsup") == 0);
    CHECK(!ec.message().empty() && ec.message() != make_error_code(errc::limit).message());

    ec.clear();
    supervisor owner(ec);
    CHECK(!ec && owner && owner.fd(ec) >= 0);
    child job = owner.spawn(pausing(), ec, why);
    CHECK(!ec && !why && job); // cleared
    job.reap(0ms, ec);
    CHECK(ec == errc::timeout && ec == std::errc::timed_out);
    CHECK(!job.try_reap(ec) && !ec); // still running is no error
    job.signal(65, ec);
    CHECK(ec == errc::invalid_argument);
    CHECK(job.state(ec) == child_state::running && !ec && job.pid(ec) > 0 && job.pidfd(ec) && !job.stdio(1, ec) && ec == errc::not_found);
    CHECK(job.output(ec).empty() && ec == errc::state);
    auto event = owner.next_event(patience(), ec);
    CHECK(!ec && event && event->kind() == event_kind::started && event->child() == job);
    CHECK(!owner.next_event(0ms, ec) && !ec); // nothing now is no error
    CHECK(job.terminate(0ms, ec, why).kind() == exit_kind::signaled && !ec && !why);
    CHECK(job.reap(0ms, ec, why).kind() == exit_kind::signaled && !ec && job.try_reap(ec));
    job.signal(SIGTERM, ec);
    CHECK(ec == errc::exited);
    job.reset();
    CHECK(job.pid(ec) == -1 && ec == errc::bad_handle);
    CHECK(child_ref().state(ec) == child_state(-1) && ec == errc::bad_handle);
}

static void strings_that_c_would_cut_are_refused()
{
    std::error_code ec;
    const std::string torn("to\0rn", 5);
    CHECK(!command(torn, ec) && ec == errc::invalid_argument);
    command echo("echo");
    ec.clear();
    echo.args({"a", torn}, ec);
    CHECK(ec == errc::invalid_argument);
    ec.clear();
    echo.arg0(torn, ec);
    CHECK(ec == errc::invalid_argument);
}

int main()
{
    a_chain_stops_at_its_first_failure();
    codes_tell_what_happened();
    strings_that_c_would_cut_are_refused();
    CHECK(live_count() == 0);
}
