/* A child that was killed because it was not, or could not be, ready: its EXITED event says which, also of a run that another one follows, for
   which ps_wait_ready answers nothing yet. Of one that only died, `exit` says all. */
/* covers: C13-3 */
/* variants: few */
#include "harness.h"

#include "ready.h"

static void ends(ps_supervisor *supervisor, ps_command *command, int32_t cause, ps_status why)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_restart(command, PS_RESTART_ON_FAILURE, 600000, 600000, &error), error);
    ps_child *child = spawn_in(supervisor, command);
    ps_event event = await_event(supervisor, PS_EVENT_EXITED);
    CHECK(event.child == child);
    CHECK_INT(event.exit.cause, cause);
    CHECK_INT(event.status, why);
    /* Its next run is far away, and is waited for; the words do not take the dead process for one that is late. */
    event = await_event(supervisor, PS_EVENT_RESTARTING);
    CHECK_INT(event.reason, cause == PS_CAUSE_NOT_READY ? PS_REASON_NOT_READY : PS_REASON_FAILED);
    CHECK_ERROR(ps_wait_ready(child, 0, &error), PS_ERR_TIMEOUT, &error);
    CHECK_STR(ps_error_step(error), "wait");
    CHECK(strstr(ps_error_message(error), "has ended, and its next run"));
    ps_error_free(error);
    CHECK_OK(ps_terminate_begin(child, 0, &error), error);
    await_event(supervisor, PS_EVENT_CANCELLED);
    ps_child_free(child);
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    warm_up();
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    ends(supervisor, ready_command(PS_READY_NOTIFY, NULL, 60, "pause", NULL), PS_CAUSE_NOT_READY, PS_ERR_TIMEOUT);
    ends(supervisor, ready_command(PS_READY_SOCKET, "unix:@procsup-nobody-is-here", 60, "pause", NULL), PS_CAUSE_NOT_READY, PS_ERR_TIMEOUT);
    ends(supervisor, ready_command(PS_READY_FD, "7", 600000, "close:7", "pause", NULL), PS_CAUSE_NOT_READY, PS_ERR_PROTOCOL);
    ends(supervisor, ready_command(PS_READY_FD, "7", 600000, "exit:5", NULL), PS_CAUSE_SELF, PS_OK);
    ps_supervisor_free(supervisor);
    return 0;
}
