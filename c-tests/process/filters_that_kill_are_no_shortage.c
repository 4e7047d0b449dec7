/* variants: none (it puts itself under filters of its own) */
/* covers: F26, P22 */
/* A seccomp filter may kill for a call that it does not know, or refuse it with an errno of its own choice: then that call is not there, and
   the next best is taken. The question must not cost the host its life, nor leave a core dump of it. */
#include "harness.h"
#include "children.h"

struct filter {
    const char *rules[8];
    int32_t tier;
};

static const struct filter filters[] = {
    {{"close_range=KILL"}, PS_TIER_CLONE3},
    {{"close_range=KILL_THREAD"}, PS_TIER_CLONE3},
    {{"close_range=EACCES"}, PS_TIER_CLONE3},
    {{"clone3=EACCES"}, PS_TIER_CLONE},
    {{"clone3=EOPNOTSUPP"}, PS_TIER_CLONE},
    {{"clone3=EXDEV"}, PS_TIER_CLONE}, /* nobody else says that of it */
    {{"clone3=KILL"}, PS_TIER_CLONE},
    {{"clone3=KILL_THREAD", "close_range=KILL_THREAD"}, PS_TIER_CLONE},
    {{"clone=EPERM"}, PS_TIER_CLONE3}, /* then nobody can be asked without risk */
    {{"pidfd_send_signal=KILL"}, PS_TIER_CLONE3},
    {{"pidfd_send_signal=EACCES"}, PS_TIER_CLONE3},
    {{"pidfd-group=KILL"}, PS_TIER_CLONE3},
    {{"pidfd-group=EACCES"}, PS_TIER_CLONE3},
    {{"pidfd_open=KILL"}, PS_TIER_CLONE3},
    {{"waitid-pidfd=KILL"}, PS_TIER_CLONE3},
    {{"openat2=KILL", "fchmodat2=KILL", "kcmp=KILL"}, PS_TIER_CLONE3},
    {{"pwritev2=KILL", "openat2=EACCES", "fchmodat2=EACCES"}, PS_TIER_CLONE3},
    {{"clone3=KILL", "close_range=KILL", "pidfd_open=KILL", "pidfd_send_signal=KILL", "waitid-pidfd=KILL"}, PS_TIER_CLONE},
};

static void behave(const struct filter *filter)
{
    ps_error *error = NULL;
    int32_t tier = 0;
    ps_child *child = spawn_once(NULL, exiting("3"));
    CHECK_OK(ps_child_spawn_tier(child, &tier, &error), error);
    CHECK(tier == filter->tier || !kernel_at_least(5, 9));
    CHECK_INT(reap(child).code, 3);
    ps_child_free(child);
    CHECK(output_is(shell("echo $1; exit 0", "heard"), "heard\n"));
    if (getuid() == 0) { /* by a fork */
        ps_command *command = exiting("4");
        CHECK_OK(ps_command_credentials(command, 65534, 65534, NULL, 0, &error), error);
        child = spawn_once(NULL, command);
        CHECK_INT(reap(child).code, 4);
        ps_child_free(child);
    }
    if (strncmp(filter->rules[0], "clone=", 6) != 0) { /* this helper forks */
        pid_t grandchild;
        child = spawn_family(NULL, helper_command("spawn_grandchild", NULL), &grandchild);
        CHECK_INT(terminate(child, 100).kind, PS_EXIT_SIGNALED);
        ps_child_free(child);
        CHECK(wait_until(is_dead(grandchild), 20000));
    }
    size_t written = 0;
    ps_command *fed = shell("read line; test \"$line\" = fed", NULL);
    CHECK_OK(ps_command_input_stream(fed, 100, &error), error);
    child = spawn_once(NULL, fed);
    CHECK_OK(ps_child_write(child, "fed\n", 4, &written, &error), error);
    CHECK_INT(written, 4);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
    /* A sandbox whose rights its child has taken away, and a forked copy that finds what the host has reserved. */
    char box[128];
    snprintf(box, sizeof box, "%s", temp_dir());
    ps_command *messy = shell("mkdir -p $1/a/b; touch $1/a/b/c; chmod 0 $1/a/b; chmod 500 $1/a", box);
    CHECK_OK(ps_command_sandbox_dir(messy, box, &error), error);
    child = spawn_once(NULL, messy);
    CHECK_INT(reap(child).removal, PS_OK);
    CHECK(!exists(box));
    ps_child_free(child);
    if (strncmp(filter->rules[0], "clone=", 6) != 0) {
        fflush(NULL);
        pid_t copy = fork();
        if (copy == 0) {
            reap_and_free(spawn_once(NULL, exiting("0")));
            _exit(0);
        }
        CHECK_INT(wait_for(copy), 0);
    }
    CHECK(has_no_child());
}

/* Whether a program of this name was left without a word: what the kernel calls its dumps if nobody has told it otherwise. */
static int dumps(const char *dir)
{
    char path[128];
    snprintf(path, sizeof path, "%s/core", dir);
    return exists(path);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        behave(&filters[atoi(argv[1])]);
        return 0;
    }
    char self[512] = "", number[16];
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    unsetenv("PROCSUP_SPAWN_TIER");
    const char *dir = temp_dir();
    struct rlimit any = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_CORE, &any);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        char *arguments[16] = {(char *)helper_path("without")};
        int count = 1;
        for (const char *const *rule = filters[i].rules; *rule; rule++)
            arguments[count++] = (char *)*rule;
        snprintf(number, sizeof number, "%zu", i);
        arguments[count++] = (char *)"--";
        arguments[count++] = self;
        arguments[count++] = number;
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            if (chdir(dir) == 0)
                execv(arguments[0], arguments);
            _exit(126);
        }
        int status = wait_for(pid);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
            SKIP("no seccomp filter can be installed here");
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            harness_fail(__FILE__, __LINE__, "under %s the status is 0x%x", filters[i].rules[0], (unsigned)status);
        CHECK(!dumps(dir));
    }
    CHECK(rmdir(dir) == 0);
    return 0;
}
