/* A child that is dumping its core when its stop plan, its deadline or a shutdown comes: the dump is let finish, and the record says what the
   child died of. With a core wait of 0, by ps_signal and by ps_supervisor_free it is killed at once. */
/* covers: F11, LAW-18 */
/* variants: only tier-fork, locked-down */
#include "harness.h"
#include "cores.h"
#include "children.h"

#define CORE_MIB "96"

static ps_command *dumper(void)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("dump_core", CORE_MIB, NULL);
    CHECK_OK(ps_command_cwd(command, core_dir, &error), error);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_CORE, RLIM_INFINITY, RLIM_INFINITY, &error), error);
    return command;
}

/* Waits until it dumps, without sleeping: a dump is short. */
static void await_dump(const ps_child *child)
{
    int64_t until = now_ms() + PATIENCE_MS;
    while (!is_dumping(pid_of(child)) && process_state(pid_of(child)) != 'Z')
        CHECK(now_ms() < until);
}

static void check_whole(ps_exit end, int cause)
{
    CHECK_INT(end.kind, PS_EXIT_SIGNALED);
    CHECK_INT(end.signal, SIGSEGV);
    CHECK_INT(end.core_dumped, 1);
    CHECK_INT(end.cause, cause);
    remove_cores();
}

/* Cut, unless it was faster. */
static void check_cut_or_whole(ps_exit end, int cause)
{
    if (end.signal == SIGSEGV)
        CHECK_INT(end.cause, PS_CAUSE_SELF);
    else {
        CHECK_INT(end.signal, SIGKILL);
        CHECK_INT(end.cause, cause);
    }
    remove_cores();
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

    /* its stop plan */
    child = spawn_once(NULL, dumper());
    await_dump(child);
    check_whole(terminate(child, 0), PS_CAUSE_SELF);
    ps_child_free(child);

    /* one that begins with the kill */
    ps_command *command = dumper();
    CHECK_OK(ps_command_stop_step(command, SIGKILL, -1, &error), error);
    child = spawn_once(NULL, command);
    await_dump(child);
    check_whole(terminate(child, -1), PS_CAUSE_SELF);
    ps_child_free(child);

    /* its deadline */
    command = dumper();
    CHECK_OK(ps_command_deadline(command, 0, &error), error);
    CHECK_OK(ps_command_stop_step(command, SIGURG, 0, &error), error);
    CHECK_OK(ps_command_stop_step(command, SIGKILL, -1, &error), error);
    child = spawn_once(NULL, command);
    await_dump(child);
    check_whole(reap(child), PS_CAUSE_SELF);
    ps_child_free(child);

    /* a shutdown */
    ps_supervisor *supervisor = supervisor_new();
    child = spawn_once(supervisor, dumper());
    take_event(supervisor, PS_EVENT_STARTED);
    await_dump(child);
    CHECK_OK(ps_supervisor_shutdown(supervisor, 0, &error), error);
    check_whole(take_event(supervisor, PS_EVENT_EXITED).exit, PS_CAUSE_SELF);
    take_event(supervisor, PS_EVENT_SHUTDOWN_DONE);
    ps_child_free(child);
    ps_supervisor_free(supervisor);

    /* not waited for */
    command = dumper();
    CHECK_OK(ps_command_core_wait(command, 0, &error), error);
    CHECK_OK(ps_command_stop_step(command, SIGKILL, -1, &error), error);
    child = spawn_once(NULL, command);
    await_dump(child);
    check_cut_or_whole(terminate(child, -1), PS_CAUSE_STOP);
    ps_child_free(child);

    child = spawn_once(NULL, dumper());
    await_dump(child);
    ps_signal(child, SIGKILL, NULL);
    check_cut_or_whole(reap(child), PS_CAUSE_OWNER);
    ps_child_free(child);

    supervisor = supervisor_new();
    child = spawn_once(supervisor, dumper());
    await_dump(child);
    ps_supervisor_free(supervisor);
    check_cut_or_whole(reap(child), PS_CAUSE_SHUTDOWN);
    ps_child_free(child);

    cores_end();
    return 0;
}
