/* A child that has left the group that it led, with a helper still in it, is stopped by its plan, its deadline, a shutdown, kill-all and
   ps_supervisor_free as any other is; and the helper goes with it. */
/* covers: F7, LAW-18, EV-11 */
#include "harness.h"
#include "children.h"

static pid_t helper;

static ps_child *leaver(ps_supervisor *supervisor, int64_t deadline_ms)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("leave_group", NULL);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    if (deadline_ms >= 0)
        CHECK_OK(ps_command_deadline(command, deadline_ms, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    int fd = pipe_end(child, 1);
    helper = (pid_t)read_number(fd);
    close(fd);
    return child;
}

static void check_end(ps_child *child, int signal, int cause)
{
    ps_exit end = reap(child);
    CHECK_INT(end.signal, signal);
    CHECK_INT(end.cause, cause);
    CHECK(wait_until(is_dead(helper), 20000));
    ps_child_free(child);
}

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = leaver(NULL, -1);
    CHECK_INT(terminate(child, 60000).signal, SIGTERM);
    check_end(child, SIGTERM, PS_CAUSE_STOP);

    child = leaver(NULL, -1);
    uint32_t left = 99;
    CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, &left), PS_OK);
    CHECK_INT(left, 0);
    check_end(child, SIGKILL, PS_CAUSE_KILL_ALL);

    child = leaver(NULL, 0);
    check_end(child, SIGTERM, PS_CAUSE_DEADLINE);

    ps_supervisor *supervisor = supervisor_new();
    child = leaver(supervisor, -1);
    CHECK_OK(ps_supervisor_shutdown(supervisor, 60000, &error), error);
    take_event(supervisor, PS_EVENT_STARTED);
    take_event(supervisor, PS_EVENT_EXITED);
    take_event(supervisor, PS_EVENT_SHUTDOWN_DONE);
    check_end(child, SIGTERM, PS_CAUSE_SHUTDOWN);
    ps_supervisor_free(supervisor);

    supervisor = supervisor_new();
    child = leaver(supervisor, -1);
    pid_t pid = pid_of(child);
    ps_supervisor_free(supervisor);
    CHECK(process_gone(pid));
    check_end(child, SIGKILL, PS_CAUSE_SHUTDOWN);
    return 0;
}
