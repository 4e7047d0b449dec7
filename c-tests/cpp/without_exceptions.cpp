// A host without exceptions and RTTI: the second style does all; a throwing call that fails says why and aborts.
/* flags: -fno-exceptions -fno-rtti */
#include "check.hpp"

#include <cstring>
#include <map>
#include <string_view>
#include <sys/resource.h>
#include <vector>

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "this is to be compiled without both"
#endif

using namespace procsup;

static void a_job_from_its_command_to_its_end()
{
    std::error_code ec;
    error_info why;
    supervisor owner(ec);
    command job("sh", {"-c", "echo $A $1; exit 3", "sh"}, ec);
    job.args(std::vector<std::string_view>{"x"}, ec).envs(std::map<std::string, std::string>{{"A", "a"}}, ec).capture(100, ec);
    child started = owner.spawn(job, ec);
    CHECK(!ec && started.reap(patience(), ec).code() == 3 && !ec && started.output(ec) == "a x\n" && !ec);
    for (event_kind expected : {event_kind::started, event_kind::exited}) {
        auto event = owner.next_event(patience(), ec);
        CHECK(!ec && event && event->kind() == expected);
    }
    command missing("/no/such/program", ec);
    CHECK(!owner.spawn(missing, ec, why) && ec == errc::not_found && std::strstr(why.message(), "/no/such/program"));
    ec.clear();
    missing.arg(std::string_view("\0", 1), ec);
    CHECK(ec == std::errc::invalid_argument);
}

static void what_would_throw_says_why_and_aborts()
{
    int ends[2];
    CHECK(::pipe2(ends, O_CLOEXEC) == 0);
    std::fflush(nullptr);
    const pid_t pid = ::fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        const struct rlimit none{0, 0};
        ::setrlimit(RLIMIT_CORE, &none);
        ::dup2(ends[1], STDERR_FILENO);
        (void)spawn(command("/no/such/program"));
        _exit(0);
    }
    ::close(ends[1]);
    std::string said;
    char text[256];
    for (ssize_t got; (got = ::read(ends[0], text, sizeof text)) > 0;)
        said.append(text, static_cast<std::size_t>(got));
    ::close(ends[0]);
    int status = -1;
    CHECK(::waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(said.find("PS_ERR_NOT_FOUND") != std::string::npos && said.find("/no/such/program") != std::string::npos);
}

int main()
{
    a_job_from_its_command_to_its_end();
    what_would_throw_says_why_and_aborts();
    CHECK(live_count() == 0);
}
