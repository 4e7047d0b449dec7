/* The state goes forward only: RUNNING, STOPPING once a stop plan has begun, EXITED; each child of a supervisor on its own. */
/* covers: EV-21, SC-6, RP-33 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_child *one = spawn_once(supervisor, pausing()), *two = spawn_deaf(supervisor);
    CHECK_INT(state_of(one), PS_STATE_RUNNING);
    CHECK_INT(state_of(two), PS_STATE_RUNNING);
    CHECK_OK(ps_terminate_begin(two, 600000, &error), error);
    CHECK_INT(state_of(two), PS_STATE_STOPPING);
    CHECK_INT(state_of(one), PS_STATE_RUNNING);
    CHECK_OK(ps_signal(one, SIGCONT, &error), error); /* a signal is not a stop plan */
    CHECK_INT(state_of(one), PS_STATE_RUNNING);
    terminate(one, -1);
    CHECK_INT(state_of(one), PS_STATE_EXITED);
    CHECK_INT(state_of(two), PS_STATE_STOPPING);
    CHECK_OK(ps_terminate_begin(one, -1, &error), error);
    CHECK_INT(state_of(one), PS_STATE_EXITED);
    kill(pid_of(two), SIGKILL); /* by a stranger, in the middle of the plan */
    CHECK(wait_until(state_of(two) == PS_STATE_EXITED, 20000));
    CHECK_INT(reap(two).cause, PS_CAUSE_STOP);
    ps_child_free(two);
    ps_child_free(one);
    ps_supervisor_free(supervisor);
    return 0;
}
