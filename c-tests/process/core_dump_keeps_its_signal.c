/* The signal that made a child dump its core stands in its record, with core_dumped, whatever comes while it dumps: another signal of the
   host, the end of its time to be ready, of its run, of its supervisor; in a control group, by a spawner, and told of each run of one that
   is started again. Kill-all is the one that cuts it, and says so. */
/* covers: F11 */
/* variants: only locked-down */
#include "harness.h"
#include "cores.h"
#include "containment.h"

#define CORE_MIB "16"

static ps_command *in_core_dir(ps_command *command)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_cwd(command, core_dir, &error), error);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_CORE, RLIM_INFINITY, RLIM_INFINITY, &error), error);
    return command;
}

static ps_command *dumper(void) { return in_core_dir(helper_command("dump_core", CORE_MIB, NULL)); }

/* Waits until it dumps, or has; without sleeping: a dump is short. */
static void await_dump(const ps_child *child)
{
    int64_t until = now_ms() + PATIENCE_MS;
    while (!is_dumping(pid_of(child)) && process_state(pid_of(child)) != 'Z')
        CHECK(now_ms() < until);
}

static void check_whole(ps_exit end, int signal, int cause)
{
    CHECK_INT(end.kind, PS_EXIT_SIGNALED);
    CHECK_INT(end.signal, signal);
    CHECK_INT(end.core_dumped, 1);
    CHECK_STR(ps_cause_name(end.cause), ps_cause_name(cause));
    CHECK_INT(end.oom, PS_OOM_NONE);
    remove_cores();
}

/* One that waits, with as much memory, and gets this signal. */
static ps_child *struck(int signal)
{
    char line[16];
    ps_error *error = NULL;
    ps_command *command = in_core_dir(helper_command("eat_memory", CORE_MIB, "pause", NULL));
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int fd = pipe_end(child, 1);
    CHECK(read_line(fd, line, sizeof line));
    close(fd);
    CHECK_OK(ps_signal(child, signal, &error), error);
    await_dump(child);
    return child;
}

int main(void)
{
    ps_error *error = NULL;
    cores_begin();
    ps_child *child = spawn_once(NULL, dumper());
    ps_exit end = reap(child);
    ps_child_free(child);
    remove_cores();
    if (!end.core_dumped) {
        cores_end();
        SKIP("no core is dumped here");
    }

    /* Of a signal of the host's own: then it is terminated. */
    child = struck(SIGABRT);
    check_whole(terminate(child, 0), SIGABRT, PS_CAUSE_OWNER);
    ps_child_free(child);

    /* Another one comes, which does nothing to it. */
    child = spawn_once(NULL, dumper());
    await_dump(child);
    ps_signal(child, SIGTERM, NULL);
    check_whole(reap(child), SIGSEGV, PS_CAUSE_SELF);
    ps_child_free(child);

    /* It was to be ready. */
    ps_command *command = dumper();
    CHECK_OK(ps_command_readiness(command, PS_READY_NOTIFY, NULL, 1, &error), error);
    child = spawn_once(NULL, command);
    await_dump(child);
    ps_wait_ready(child, PATIENCE_MS, NULL);
    end = reap(child);
    check_whole(end, SIGSEGV, end.cause); /* who was first, its time or the signal, is not the matter here */
    ps_child_free(child);

    /* Its time to run is over: it has ended in time. */
    command = dumper();
    ps_exit run = {.size = sizeof run};
    ps_status status = ps_run(command, 1, 0, &run, NULL, &error);
    if (status == PS_OK)
        check_whole(run, SIGSEGV, PS_CAUSE_SELF);
    else {
        CHECK_ERROR(status, PS_ERR_TIMEOUT, &error); /* it had not even begun to dump */
        ps_error_free(error);
        error = NULL;
        remove_cores();
    }
    ps_command_free(command);

    /* In a control group, which is killed at its end. */
    if (cgroup_root_or_null()) {
        command = dumper();
        in_cgroup(command, cgroup_path("dumping"));
        child = spawn_once(NULL, command);
        await_dump(child);
        check_whole(terminate(child, 0), SIGSEGV, PS_CAUSE_SELF);
        ps_child_free(child);
    }

    /* Each run, and the shutdown of a supervisor with a spawner. */
    ps_supervisor *supervisor = supervisor_new();
    command = dumper();
    CHECK_OK(ps_command_restart(command, PS_RESTART_ON_FAILURE, 0, 0, &error), error);
    child = spawn_once(supervisor, command);
    for (int i = 0; i < 2; i++) {
        take_event(supervisor, PS_EVENT_STARTED);
        check_whole(take_event(supervisor, PS_EVENT_EXITED).exit, SIGSEGV, PS_CAUSE_SELF);
        check_whole(take_event(supervisor, PS_EVENT_RESTARTING).exit, SIGSEGV, PS_CAUSE_SELF);
    }
    ps_supervisor_free(supervisor);
    ps_child_free(child);
    remove_cores();
    supervisor = supervisor_new();
    if (ps_supervisor_set_spawner(supervisor, 1, NULL) == PS_OK) {
        child = spawn_once(supervisor, dumper());
        take_event(supervisor, PS_EVENT_STARTED);
        await_dump(child);
        CHECK_OK(ps_supervisor_shutdown(supervisor, 0, &error), error);
        check_whole(take_event(supervisor, PS_EVENT_EXITED).exit, SIGSEGV, PS_CAUSE_SELF);
        ps_child_free(child);
    }
    ps_supervisor_free(supervisor);

    /* Kill-all waits for nothing. */
    child = spawn_once(NULL, dumper());
    await_dump(child);
    CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
    end = reap(child);
    if (end.signal == SIGSEGV)
        check_whole(end, SIGSEGV, PS_CAUSE_SELF);
    else
        CHECK(end.signal == SIGKILL && end.cause == PS_CAUSE_KILL_ALL && !end.core_dumped);
    ps_child_free(child);

    cores_end();
    return 0;
}
