// A failed call throws procsup::error, which knows status, errno and step, also as a copy and as a std::system_error.
#include "check.hpp"

#include <cstring>
#include <exception>
#include <sys/stat.h>

using namespace procsup;

static void a_failed_spawn_says_all()
{
    supervisor owner;
    try {
        (void)owner.spawn(command("/no/such/program"));
        CHECK(!"it ran");
    } catch (const error &caught) {
        CHECK(caught.status() == errc::not_found && caught.error_number() == ENOENT && std::strcmp(caught.step(), "exec") == 0);
        CHECK(std::strstr(caught.what(), "/no/such/program") != nullptr);
        CHECK(caught.code() == errc::not_found && caught.code() == std::errc::no_such_file_or_directory);
        CHECK(caught.code().category() == category() && !caught.retry_after() && caught.info().output().empty());
        CHECK(caught.info().render().find("exec") != std::string::npos && caught.info().render().back() != '\0');
        CHECK(caught.info().render(render_format::json).front() == '{');
        CHECK(caught.info().category() == std::string() && caught.info().text(error_text::id) == std::string());
        CHECK(std::strcmp(name(caught.status()), "PS_ERR_NOT_FOUND") == 0);
    }
    try {
        (void)spawn(shell("true").cwd("/no/such/dir"));
        CHECK(!"it ran");
    } catch (const std::system_error &caught) { // by those who know nothing of procsup
        CHECK(caught.code() == std::errc::no_such_file_or_directory && std::strstr(caught.what(), "/no/such/dir") != nullptr);
        CHECK(std::strcmp(dynamic_cast<const error &>(caught).step(), "chdir") == 0);
    }
}

static void an_errno_without_a_status_of_its_own_stays_an_errno()
{
    char path[] = "/tmp/procsup-test-XXXXXX";
    unique_fd script(::mkstemp(path));
    CHECK(script && ::write(script.get(), "echo hello\n", 11) == 11 && ::fchmod(script.get(), 0700) == 0);
    script.reset();
    try {
        (void)spawn(command(path)); // no "#!"
        CHECK(!"it ran");
    } catch (const error &caught) {
        CHECK(caught.status() == errc::system && caught.code() == std::error_code(ENOEXEC, std::system_category()));
        CHECK(caught.code() == std::errc::executable_format_error);
    }
    ::unlink(path);
}

static void copies_live_on()
{
    std::exception_ptr kept;
    error copy{error_info()};
    try {
        CHECK_THROWS(command(""), errc::invalid_argument);
        (void)spawn(command("/no/such/program"));
    } catch (const error &caught) {
        copy = caught;
        kept = std::current_exception();
    }
    CHECK(copy.status() == errc::not_found && std::strcmp(copy.step(), "exec") == 0);
    try {
        std::rethrow_exception(kept);
    } catch (const error &caught) {
        CHECK(std::strcmp(caught.what(), copy.what()) == 0);
    }
}

static void every_other_call_throws_too()
{
    child job = spawn(pausing());
    CHECK_THROWS(job.reap(0ms), errc::timeout);
    CHECK_THROWS(job.signal(65), errc::invalid_argument);
    CHECK_THROWS(job.output(), errc::state);
    CHECK(!job.try_reap());
    job.signal(SIGKILL);
    const exit_record end = job.reap(patience());
    CHECK(end.kind() == exit_kind::signaled && end.signal() == SIGKILL && end.code() == -1 && end.cause() == exit_cause::owner);
    CHECK(!end.success() && end.ended() >= end.started() && job.try_reap()->signal() == SIGKILL);
    CHECK_THROWS(job.signal(SIGTERM), errc::exited);
}

static void what_is_refused_changes_nothing()
{
    const std::string torn("to\0rn", 5);
    command echo("echo");
    echo.capture(4096).arg("whole");
    CHECK_THROWS(echo.arg(torn), errc::invalid_argument); // C would cut it
    CHECK_THROWS(echo.args({"more", torn}), errc::invalid_argument);
    CHECK_THROWS(echo.env("A=B", "x"), errc::invalid_argument);
    CHECK_THROWS(command(torn), errc::invalid_argument);
    child job = spawn(echo);
    CHECK(job.reap(patience()).success() && job.output() == "whole\n");
    try {
        echo.cgroup(torn); // C takes no length here
    } catch (const error &caught) {
        CHECK(std::strlen(caught.what()) > 0 && caught.error_number() == 0 && std::strcmp(caught.step(), "") == 0);
    }
}

int main()
{
    a_failed_spawn_says_all();
    an_errno_without_a_status_of_its_own_stays_an_errno();
    copies_live_on();
    every_other_call_throws_too();
    what_is_refused_changes_nothing();
    CHECK(live_count() == 0);
}
