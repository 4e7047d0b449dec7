/* "subprocess": ps_spawn starts a command now or, without a free slot, later; the handle is the same. */
/* covers: SC-1 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(1);
    gate gate = new_gate();
    ps_child *first = spawn_named(supervisor, at_gate(&gate), 1);
    ps_child *second = spawn_named(supervisor, exiting("0"), 2);
    CHECK_INT(state_of(first), PS_STATE_RUNNING);
    CHECK_INT(state_of(second), PS_STATE_PENDING);
    CHECK_COUNTS(supervisor, 1, 1, 0);
    CHECK_INT(child_count(), 1);

    open_gate(&gate);
    CHECK(expect(supervisor, PS_EVENT_STARTED, 1).child == first);
    CHECK_INT(expect(supervisor, PS_EVENT_EXITED, 1).exit.code, 0);
    ps_event started = expect(supervisor, PS_EVENT_STARTED, 2);
    CHECK(started.child == second && started.pid == pid_of(second) && started.run == 1);
    CHECK_INT(expect(supervisor, PS_EVENT_EXITED, 2).exit.code, 0);
    CHECK_INT(state_of(second), PS_STATE_EXITED);
    CHECK_COUNTS(supervisor, 0, 0, 0);
    ps_child_free(first);
    ps_child_free(second);
    ps_supervisor_free(supervisor);
    return 0;
}
