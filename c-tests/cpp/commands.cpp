// Every setter of command, for a command that has a name, for one that has none, and with an error code.
#include "check.hpp"

#include <filesystem>
#include <list>
#include <map>
#include <sys/resource.h>
#include <vector>

using namespace procsup;

static std::string output_of(const command &what)
{
    child job = spawn(what);
    CHECK(job.reap(patience()).success());
    return job.output();
}

static void a_chain_makes_a_command()
{
    auto job = command("/bin/sh").arg("-c").arg("echo $0 $1 $2 $A ${B-none} $PWD; umask; ulimit -f").args({"zero", "one"});
    job.args(std::vector<std::string>{"two"}).args(std::list<const char *>{}).capture(4096);
    auto whole = std::move(job).env("A", "a").env("B", nullptr).cwd(std::filesystem::path("/")).umask(027);
    whole.rlimit(RLIMIT_FSIZE, 39424, 40000);
    CHECK(output_of(whole) == "zero one two a none /\n0027\n77\n");
    CHECK(output_of(command("sh", {"-c", "echo $0", "listed"}).capture(100)) == "listed\n");
    CHECK(output_of(command("cat").input("from memory").capture(100)) == "from memory");
    CHECK(output_of(command("cat").input("").capture(100)).empty());
}

// All forms of all setters, with values that are good: each must reach the C function that it is named after.
static void all_forms()
{
    std::error_code ec;
    auto c = command("true")
                 .arg("a").args({"b"}).arg0("c").env("A", "b").env_base(environment::baseline).cwd("/").stdio(0, stdio_kind::null)
                 .stdio_fd(2, 2).pass_fd(2, 9).listen_fd(2).listen_fd(2, "name").credentials(0, 0).credentials(0, 0, {0, 1})
                 .user(0).group(0).groups({0, 1}).keep_groups().chdir_first()
                 .umask(022).nice(1).rlimit(RLIMIT_CORE, 0, 0).no_new_privs().die_with_host().isolate(isolation::session)
                 .stop_step(SIGTERM, 10ms).stop_step(SIGKILL).deadline(1min).core_wait(1s).survivors(survivors_policy::leave).stop_scope(scope::leader)
                 .capture(100)
                 .readiness(readiness_kind::exec, nullptr, 0ms).readiness(readiness_kind::notify, 1s).user_data(1).user_pointer(&ec)
                 .sandbox_dir("/tmp/none");
    c.arg("a").args({"b"}).arg0("c").env("A", "b").env_base(environment::clear).cwd("/").stdio(0, stdio_kind::null)
        .stdio_fd(2, 2).pass_fd(2, 8).listen_fd(2).listen_fd(2, "name").credentials(0, 0).credentials(0, 0, {0, 1})
        .user(0).group(0).groups({0, 1}).keep_groups(false).chdir_first(false)
        .umask(022).nice(1).rlimit(RLIMIT_CORE, 0, 0).no_new_privs(false).die_with_host(false).isolate(isolation::group)
        .stop_step(SIGTERM, 10ms).stop_step(SIGKILL).deadline(1min).core_wait(1s).survivors(survivors_policy::sweep).stop_scope(scope::mixed)
        .capture(100)
        .readiness(readiness_kind::exec, nullptr, 0ms).readiness(readiness_kind::notify, 1s).user_data(1).user_pointer(&ec)
        .sandbox_dir("/tmp/none");
    const std::uint32_t groups[] = {0, 1};
    c.arg("a", ec).args({"b"}, ec).arg0("c", ec).env("A", "b", ec).env_base(environment::inherit, ec).cwd("/", ec)
        .stdio(0, stdio_kind::null, ec).stdio_fd(2, 2, ec).pass_fd(2, 7, ec).listen_fd(2, nullptr, ec).credentials(0, 0, groups, 2, ec)
        .user(0, ec).group(0, ec).groups(groups, 2, ec).keep_groups(true, ec).chdir_first(true, ec)
        .umask(022, ec).nice(1, ec).rlimit(RLIMIT_CORE, 0, 0, ec).no_new_privs(true, ec).die_with_host(true, ec)
        .isolate(isolation::none, ec).stop_step(SIGTERM, 10ms, ec).deadline(1min, ec).core_wait(1s, ec).survivors(survivors_policy::sweep, ec)
        .stop_scope(scope::group, ec).capture(100, ec).readiness(readiness_kind::exec, nullptr, 0ms, ec).readiness(readiness_kind::notify, 1s, ec).user_data(1, ec).user_pointer(&ec, ec)
        .sandbox_dir("/tmp/none", ec);
    CHECK(!ec);

    const std::int32_t hangup[] = {SIGHUP};
    const std::vector<std::int32_t> both = {SIGHUP, SIGPIPE};
    auto e = command("true").process_group(getpgrp()).oom_score_adj(1000).keep_ignored({SIGHUP}).keep_ignored(both).keep_mask();
    e.process_group(0).oom_score_adj(999).keep_ignored({SIGHUP}).keep_ignored(both).keep_ignored(hangup).keep_ignored(hangup, 1).keep_mask(false);
    e.process_group(0, ec).oom_score_adj(998, ec).keep_ignored(both, ec).keep_ignored(hangup, ec).keep_ignored(hangup, 1, ec).keep_mask(true, ec);
    CHECK(!ec);
    e.oom_score_adj(1001, ec);
    CHECK(ec);
    ec.clear();
    CHECK(output_of(command("cat").arg("/proc/self/oom_score_adj").oom_score_adj(1000).keep_ignored({SIGHUP}).keep_mask().capture(100)) == "1000\n");

    auto d = command("true")
                 .input("x").output_file("/tmp/none").output_file("/tmp/none", output_exists_policy::replace)
                 .output_on_failure(output_failure_policy::drop).output_lines().output_line_limit(1000).output_partial(100ms).watch_stops(100ms).cgroup("/sys/fs/cgroup/none")
                 .cgroup_set("pids.max", "64").restart(restart_policy::always, 1ms, 10ms).restart_limit(3, 1s).restart_early_exit(500ms);
    d.input("x").output_file("/tmp/none").output_file("/tmp/none", output_exists_policy::refuse)
        .output_on_failure(output_failure_policy::keep).output_lines(false).output_line_limit(1000).output_partial(0ms).watch_stops(0ms).cgroup("/sys/fs/cgroup/none")
        .cgroup_set("pids.max", "64").restart(restart_policy::on_failure, 1ms, 10ms).restart_limit(3, 1s).restart_early_exit(500ms);
    d.input("x", ec).output_file("/tmp/none", output_exists_policy::replace, ec).output_on_failure(output_failure_policy::drop, ec)
        .output_lines(true, ec).output_line_limit(1000, ec).output_partial(1ms, ec).watch_stops(1h, ec).cgroup("/sys/fs/cgroup/none", ec).cgroup_set("pids.max", "64", ec)
        .restart(restart_policy::never, 1ms, 10ms, ec).restart_limit(3, 1s, ec).restart_early_exit(500ms, ec);
    CHECK(!ec);
}

// On which processors, by which policy, and what is open to it.
static void processors_and_paths()
{
    const std::vector<std::uint32_t> first{0};
    auto job = command(HELPER_DIR "/show_scheduling").affinity({0, 1}).affinity(first).scheduling(scheduling_policy::batch).capture(1000);
    job.affinity({0}).affinity(first).scheduling(scheduling_policy::idle, 0);
    std::error_code ec;
    job.affinity(first, ec).affinity({0}, ec).scheduling(scheduling_policy::batch, 0, ec);
    CHECK(!ec && output_of(job).rfind("cpus=0\npolicy=BATCH\npriority=0\n", 0) == 0);
    job.scheduling(scheduling_policy::fifo, 0, ec);
    CHECK(ec == errc::invalid_argument);
    ec.clear();

    auto shut = command("cat").arg("/proc/self/comm").landlock("/usr", allow::read | allow::execute).capture(1000);
    shut.landlock("/etc", allow::read).landlock("/dev/null", allow::read | allow::write, ec);
    for (const char *place : {"/lib", "/lib64", "/bin"})
        if (std::filesystem::exists(place))
            shut.landlock(place, allow::execute, ec);
    CHECK(!ec);
    try {
        child reader = spawn(shut);
        CHECK(reader.reap(patience()).code() == 1);
        shut.landlock("/proc", allow::read);
        CHECK(output_of(shut) == "cat\n");
    } catch (const error &refused) {
        CHECK(refused.code() == errc::unsupported);
    }
}

// Many at once, and strings with a length.
static void blocks_and_parts_of_strings()
{
    const std::map<std::string, std::string> variables{{"A", "a"}, {"B", "b=b"}, {"EMPTY", ""}};
    const std::string_view text = "/bin/sh -c";
    auto c = command(text.substr(0, 7)).arg(text.substr(8)).arg("echo $A $B ${EMPTY-none} ${C-none} $D ${E-none} $PWD");
    c.env("C", "gone").envs(variables).envs({{"D", "1"}, {"D", "2"}});
    c.env("C", nullptr).env("E", std::string_view()).cwd("/usr/bin");
    c.cwd(std::string_view("/usr/bin").substr(0, 4)).capture(1000);
    CHECK(output_of(c) == "a b=b none 2 /usr\n");

    std::error_code ec;
    c.envs(std::vector<std::pair<const char *, std::string>>{{"A", "vector"}}, ec).envs({{"B", "list"}}, ec);
    const char *const block[] = {"EMPTY=no", nullptr};
    c.env_block(block, ec).env(std::string_view("C"), "c", ec).env(std::string("D"), nullptr, ec).arg(std::string_view("x"), ec).cwd("/", ec).priority(-3, ec);
    CHECK(!ec && output_of(c) == "vector list no c /\n");

    auto refused = [&](auto act) {
        ec.clear();
        act();
        CHECK(ec == errc::invalid_argument);
    };
    refused([&] { c.envs({{"A=B", "x"}}, ec); });
    refused([&] { c.envs({{"A", "refused"}, {"", "x"}}, ec); });
    refused([&] { c.envs({{std::string_view("A\0B", 3), "x"}}, ec); });
    refused([&] { c.envs({{"A", std::string_view("x\0", 2)}}, ec); });
    refused([&] { c.arg(std::string_view("x\0y", 3), ec); });
    refused([&] { c.priority(101, ec); });
    refused([&] { c.pass_fds({2, -1}, ec); });
    refused([&] { command(std::string_view("x\0y", 3), ec); });
    CHECK(output_of(c) == "vector list no c /\n");
    const std::map<std::string, std::string> bad{{"A=B", ""}};
    CHECK_THROWS(c.envs(bad), errc::invalid_argument);

    ec.clear();
    auto d = command(HELPER_DIR "/show_fds").capture(1000).priority(100).pass_fds({{2, 20}, {1, 21}}).env_block(block);
    d.pass_fds(std::vector<int>{}).pass_fds(std::map<int, int>{{2, 30}, {0, 31}}).pass_fds({{2, 32}}, ec).pass_fds(std::vector<int>{}, ec);
    CHECK(output_of(d) == "0 1 2 20 21 30 31 32\n");
}

int main()
{
    a_chain_makes_a_command();
    blocks_and_parts_of_strings();
    processors_and_paths();
    all_forms();
    CHECK(live_count() == 0);
}
