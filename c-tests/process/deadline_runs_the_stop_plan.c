/* A child past its deadline gets the stop plan: TERM first, KILL if it ignores that; the cause is DEADLINE. */
/* covers: EV-18 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = pausing();
    CHECK_OK(ps_command_deadline(command, 50, &error), error);
    ps_child *child = spawn_once(NULL, command);
    ps_exit end = reap(child);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGTERM && end.cause == PS_CAUSE_DEADLINE);
    CHECK(end.ended_ns - end.started_ns >= 45 * 1000000);
    ps_child_free(child);

    command = helper_command("ignore_term", NULL);
    CHECK_OK(ps_command_deadline(command, 300, &error), error);
    CHECK_OK(ps_command_stop_step(command, SIGTERM, 50, &error), error);
    CHECK_OK(ps_command_stop_step(command, SIGKILL, 10000, &error), error);
    child = spawn_once(NULL, command);
    end = reap(child);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.cause == PS_CAUSE_DEADLINE);
    CHECK(end.signal == SIGKILL || end.signal == SIGTERM); /* TERM when the machine is so slow that the child could not yet ignore it */
    ps_child_free(child);
    return 0;
}
