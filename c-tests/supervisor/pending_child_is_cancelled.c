/* "tryProcessShutdown": a child in line is cancelled: it never runs, one CANCELLED tells so, and every call on it answers the same
   from then on. */
/* covers: SC-7 */
#include "harness.h"
#include "supervising.h"

static void check_cancelled(ps_child *child)
{
    ps_exit end = {.size = sizeof end};
    ps_error *error = NULL;
    CHECK_ERROR(ps_reap(child, -1, &end, &error), PS_ERR_CANCELLED, &error);
    ps_error_free(error);
    CHECK_ERROR(ps_reap_nonblock(child, &end, &error), PS_ERR_CANCELLED, &error);
    ps_error_free(error);
    CHECK_ERROR(ps_terminate(child, -1, &end, &error), PS_ERR_CANCELLED, &error);
    ps_error_free(error);
    CHECK_OK(ps_terminate_begin(child, -1, &error), error);
    CHECK_INT(end.kind, 0);
    CHECK_INT(state_of(child), PS_STATE_CANCELLED);
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(1);
    ps_child *first = spawn_named(supervisor, pausing(), 1);
    ps_child *second = spawn_named(supervisor, exiting("0"), 2);
    ps_child *third = spawn_named(supervisor, exiting("0"), 3);
    ps_exit end = {.size = sizeof end};
    CHECK_OK(ps_terminate_begin(second, -1, &error), error);
    CHECK_ERROR(ps_terminate(third, 1000, &end, &error), PS_ERR_CANCELLED, &error);
    ps_error_free(error);
    CHECK_COUNTS(supervisor, 0, 1, 0);
    check_cancelled(second);
    check_cancelled(third);
    expect(supervisor, PS_EVENT_STARTED, 1);
    ps_event event = expect(supervisor, PS_EVENT_CANCELLED, 2);
    CHECK(event.child == second && event.status == PS_ERR_CANCELLED && event.pid == 0 && event.run == 0);
    /* third was asked by calls that answered its end, but its handle lives: the event comes */
    expect(supervisor, PS_EVENT_CANCELLED, 3);
    kill(pid_of(first), SIGKILL);
    expect(supervisor, PS_EVENT_EXITED, 1);
    expect_nothing(supervisor);
    check_cancelled(second);
    ps_child_free(first);
    ps_child_free(second);
    ps_child_free(third);
    ps_supervisor_free(supervisor);
    return 0;
}
