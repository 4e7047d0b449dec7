// One program, one answer; a command as a line, and of one; streams kept apart.
#include "check.hpp"

#include <cstring>

using namespace procsup;

static void any_end_is_an_answer()
{
    const answer all = run(shell("printf 'a\\000b'; echo why >&2; exit 3"), patience());
    CHECK(all.exit.oom() == exit_oom::none && all.exit.oom_kills() == -1 && all.exit.memory_peak() == -1); // it has no control group
    CHECK(all.exit.code() == 3 && !all.success() && all.out == std::string("a\0b", 3) && all.err == "why\n");
    CHECK(!all.out_cut() && !all.err_cut());
    const answer cut = run(shell("echo 123456789"), patience(), 4);
    CHECK(cut.success() && cut.out == "1234" && cut.out_cut() && cut.out_lost == 6 && !cut.err_cut());
    CHECK(run(command("cat").input("from memory")).out == "from memory");
}

static void what_fails_is_thrown()
{
    CHECK(run_checked(shell("echo well")).out == "well\n");
    try {
        run_checked(shell("echo out; echo why >&2; exit 3"), patience());
        CHECK(!"it was well");
    } catch (const error &caught) {
        CHECK(caught.status() == errc::exited && std::strstr(caught.what(), "exit code 3") && caught.info().output() == "out\nwhy\n");
    }
    bool begun = false;
    for (auto time = 50ms; !begun && time < patience(); time *= 3) // it may take the machine some time to say it
        try {
            run(shell("echo begun; exec sleep 600"), time);
            CHECK(!"it was in time");
        } catch (const error &caught) {
            CHECK(caught.status() == errc::timeout && caught.code() == std::errc::timed_out);
            begun = caught.info().output() == "begun\n";
        }
    CHECK(begun);
    CHECK_THROWS(run(command("/no/such/program")), errc::not_found);
}

static void with_an_error_code()
{
    std::error_code ec;
    error_info why;
    CHECK(run(shell("echo out"), patience(), 100, ec).out == "out\n" && !ec);
    CHECK(run_checked(shell("echo out"), patience(), 100, ec).out == "out\n" && !ec);
    CHECK(run_checked(shell("echo out; exit 1"), patience(), 100, ec, why).out.empty());
    CHECK(ec == errc::exited && why.status() == errc::exited && why.output() == "out\n");
    CHECK(run(shell("echo out"), patience(), 100, ec).out.empty() && ec == errc::exited); // one that is set stays, and nothing is run
    ec.clear();
    CHECK(run(command("/no/such/program"), patience(), 100, ec, why).out.empty() && ec == errc::not_found && std::strcmp(why.step(), "exec") == 0);
}

static void lines()
{
    command made = command::parse("printf '%s|' 'a b' c\\ d \"it's\"");
    CHECK(made.render() == "printf '%s|' 'a b' 'c d' 'it'\\''s'" && run(made).out == "a b|c d|it's|");
    CHECK_THROWS(command::parse("a 'b"), errc::invalid_argument);
    CHECK_THROWS(command::parse(std::string("a\0b", 3)), errc::invalid_argument);
    std::error_code ec;
    CHECK(!command::parse("a \"b", ec) && ec == errc::invalid_argument);
    CHECK(command::parse("a b", ec).render(ec) == "a b" && !ec);
    CHECK_THROWS(command(std::move(made)).render().size() && made.render().size(), errc::bad_handle);
}

static void captured_apart()
{
    auto both = shell("echo out; echo error >&2").capture(4).capture_apart();
    child job = spawn(both);
    CHECK(job.reap(patience()).success());
    CHECK(job.output_of(1) == "out\n" && job.output_of(2) == "ror\n" && job.output() == "out\nror\n");
    CHECK(job.output_lost() == 2 && job.output_lost(1) == 0 && job.output_lost(2) == 2);
    both.capture_apart(false);
    std::error_code ec;
    child plain = spawn(both.capture_apart(false, ec));
    CHECK(!ec && plain.reap(patience()).success() && plain.output_lost(0, ec) == 6 && !ec);
    CHECK(plain.output_of(1, ec).empty() && ec == errc::state);
    CHECK_THROWS(plain.output_of(2), errc::state);
    CHECK_THROWS(plain.output_lost(2), errc::state);
    auto temporary = command("true").capture(10).capture_apart(true).capture_apart(false);
    CHECK(temporary);
}

int main()
{
    any_end_is_an_answer();
    what_fails_is_thrown();
    with_an_error_code();
    lines();
    captured_apart();
    CHECK(live_count() == 0);
}
