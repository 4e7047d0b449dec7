/* What else a command can say goes with PS_ISOLATE_CONTAINED, or is refused: a terminal is not to be had there; who is stopped is the program, not its
   init; scope, score, ignored signals, processors and Landlock are the program's. */
/* variants: few */
#include "harness.h"
#include "contained.h"
#include "halting.h"
#include "landlocked.h"

static void no_terminal(void)
{
    ps_error *error = NULL;
    ps_command *command = contained(exiting("0"));
    set_stdio(command, 0, PS_STDIO_PTY, -1);
    error = spawn_fails(command, PS_ERR_UNSUPPORTED);
    CHECK(strcmp(ps_error_step(error), "isolate") == 0);
    ps_error_free(error);
    ps_command_free(command);
}

static void stops(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_named(supervisor, watched(contained(pausing()), SOON_MS), 7);
    expect(supervisor, PS_EVENT_STARTED, 7);
    CHECK_INT(stopped_by(child), 0);
    send_it(child, SIGSTOP);
    CHECK_INT(expect(supervisor, PS_EVENT_STOPPED, 7).signal, -1);
    CHECK_INT(stopped_by(child), -1);
    send_it(child, SIGCONT);
    expect(supervisor, PS_EVENT_CONTINUED, 7);
    CHECK_INT(stopped_by(child), 0);
    terminate(child, 0);
    CHECK_INT(stopped_by(child), 0);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
}

static void what_is_the_programs(void)
{
    static const char script[] = "grep -q '^SigIgn:.*4001$' /proc/self/status && [ \"$(cat /proc/self/oom_score_adj)\" = 7 ] && "
                                 "grep -q '^Cpus_allowed_list:.0$' /proc/self/status && ! cat /etc/passwd";
    ps_error *error = NULL;
    ps_command *command = contained(command_for("/bin/sh", "-c", script, NULL));
    CHECK_OK(ps_command_keep_ignored(command, (const int32_t[]){SIGHUP, SIGTERM}, 2, &error), error);
    CHECK_OK(ps_command_oom_score_adj(command, 7, &error), error);
    CHECK_OK(ps_command_affinity(command, (const uint32_t[]){0}, 1, &error), error);
    CHECK_OK(ps_command_stop_scope(command, PS_SCOPE_LEADER, &error), error);
    static const char *const open_to_all[] = {"/bin", "/usr", "/lib", "/lib64", "/proc", "/dev"};
    for (size_t i = 0; i < sizeof open_to_all / sizeof *open_to_all; i++)
        if (access(open_to_all[i], F_OK) == 0)
            CHECK_OK(ps_command_landlock(command, open_to_all[i], PS_ALLOW_READ | PS_ALLOW_EXECUTE, &error), error);
    set_stdio(command, 2, PS_STDIO_NULL, -1);
    ps_child *child = spawn_once(NULL, command);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
}

static int score_of(int32_t pid)
{
    char path[64];
    int score = 7777;
    snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int)pid);
    FILE *file = fopen(path, "re");
    CHECK(file && fscanf(file, "%d", &score) == 1);
    fclose(file);
    return score;
}

/* Its first process writes the score, for whom the host is suspended, and the program inherits it: it would be the host's from a program whose first
   process has been killed under it. */
static void scored_by_the_first(void)
{
    ps_error *error = NULL;
    int32_t pid = 0;
    int before = score_of(getpid());
    ps_command *command = contained(pausing());
    CHECK_OK(ps_command_oom_score_adj(command, before + 7, &error), error);
    ps_child *child = spawn_once(NULL, command);
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    CHECK_INT(score_of(pid), before + 7);
    CHECK_INT(score_of(getpid()), before);
    terminate(child, 0);
    ps_child_free(child);
}

/* An init that ignored it would never hear of the program's end. */
static void ignored_by_all(void)
{
    ps_error *error = NULL;
    CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    ps_command *command = contained(command_for("/bin/grep", "-q", "^SigIgn:.*1....$", "/proc/self/status", NULL));
    CHECK_OK(ps_command_keep_ignored(command, (const int32_t[]){SIGCHLD}, 1, &error), error);
    CHECK_INT(run_to_its_end(command).code, 0);
}

int main(void)
{
    need_contained();
    in_forked_process(ignored_by_all);
    scored_by_the_first();
    no_terminal();
    stops();
    if (landlock_abi() > 0)
        what_is_the_programs();
    return 0;
}
