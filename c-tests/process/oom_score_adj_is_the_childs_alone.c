/* The child has the oom_score_adj that it was given, and what it executes inherits it; the host's never changes, whichever way the child was made. The
   kernel gives what a process on shared memory writes there to all who share it, but for a vfork child: so a spawn with die_with_host from another
   thread, whose child is none, must be a fork. */
/* variants: none (the test forces each tier itself) */
#include "harness.h"
#include "each_tier.h"

static int32_t tier;

static int own_score(void)
{
    int score = 7777;
    FILE *file = fopen("/proc/self/oom_score_adj", "re");
    CHECK(file && fscanf(file, "%d", &score) == 1);
    fclose(file);
    return score;
}

static ps_command *scored(int adj)
{
    ps_error *error = NULL;
    ps_command *command = command_for("/bin/cat", "/proc/self/oom_score_adj", NULL);
    CHECK_OK(ps_command_oom_score_adj(command, adj, &error), error);
    return command;
}

static int score_of(ps_command *command)
{
    ps_error *error = NULL;
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int fd = pipe_end(child, 1);
    int score = (int)read_number(fd);
    close(fd);
    CHECK_OK(ps_child_spawn_tier(child, &tier, &error), error);
    reap_and_free(child);
    return score;
}

/* No number is free in the child below the soft limit, which is the host's. */
static void occupy_all_numbers(ps_command *command)
{
    ps_error *error = NULL;
    struct rlimit files;
    CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
    files.rlim_cur = 64;
    CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
    for (int number = 3; number < 64; number++)
        CHECK_OK(ps_command_pass_fd(command, 2, number, &error), error);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_NOFILE, 128, files.rlim_max, &error), error); /* its program needs some */
}

static void *from_a_thread(void *nothing)
{
    ps_error *error = NULL;
    int before = own_score();
    ps_command *command = scored(before + 4);
    CHECK_INT(score_of(command), before + 4);
    CHECK_INT(own_score(), before);
    command = scored(before + 5);
    CHECK_OK(ps_command_die_with_host(command, 1, &error), error);
    CHECK_INT(score_of(command), before + 5);
    CHECK_INT(own_score(), before);
    CHECK_INT(tier, PS_TIER_FORK);
    return nothing;
}

static void never_the_first(void)
{
    FILE *file = fopen("/proc/self/oom_score_adj", "we");
    bool may = file && fputs("-1000", file) >= 0 && fflush(file) == 0;
    _exit(may ? 0 : 77);
}

/* Before it is another user, who has no right to that. */
static void protected_as_another_user(void)
{
    ps_error *error = NULL;
    pid_t probe = fork();
    if (probe == 0)
        never_the_first();
    if (wait_for(probe) != 0 || geteuid() != 0)
        return;
    ps_command *command = scored(-1000);
    CHECK_OK(ps_command_credentials(command, 65534, 65534, NULL, 0, &error), error);
    CHECK_INT(score_of(command), -1000);
}

static void body(void)
{
    ps_error *error = NULL;
    int before = own_score();
    if (before > 900)
        SKIP("too little is left above the host's own score");
    CHECK_INT(score_of(command_for("/bin/cat", "/proc/self/oom_score_adj", NULL)), before);
    CHECK_INT(score_of(scored(before + 1)), before + 1);
    CHECK_INT(tier, strcmp(tier_forced, "fork") == 0 ? PS_TIER_FORK : strcmp(tier_forced, "clone") == 0 ? PS_TIER_CLONE : PS_TIER_CLONE3);
    CHECK_INT(score_of(scored(1000)), 1000);
    protected_as_another_user();
    CHECK_INT(own_score(), before);
    ps_command *command = scored(before + 2);
    CHECK_OK(ps_command_die_with_host(command, 1, &error), error);
    CHECK_INT(score_of(command), before + 2);
    command = shell("cat /proc/self/oom_score_adj; true", ""); /* what it executes has it, too */
    CHECK_OK(ps_command_oom_score_adj(command, before + 3, &error), error);
    CHECK_INT(score_of(command), before + 3);
    command = scored(before + 6);
    occupy_all_numbers(command);
    CHECK_INT(score_of(command), before + 6);
    CHECK_INT(own_score(), before);
    pthread_t thread;
    thread_start(&thread, from_a_thread, NULL);
    pthread_join(thread, NULL);
    CHECK_INT(own_score(), before);
    CHECK(has_no_child());
}

int main(void)
{
    in_each_tier(body);
    return 0;
}
