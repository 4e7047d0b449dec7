/* Groups that are already dead, reaped or not, are passed over and the others still get the signal. */
/* covers: EV-4 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_child *reaped = spawn_once(NULL, exiting("0"));
    reap(reaped);
    ps_child *zombie = spawn_once(NULL, exiting("0"));
    pid_t zombie_pid = pid_of(zombie);
    CHECK(wait_until(process_state(zombie_pid) == 'Z', 20000));
    ps_child *alive = spawn_once(NULL, pausing());

    /* numbers that are no signals reach nobody, and leave no trace */
    const int32_t bad[] = {-1, 0, 65, 999};
    for (int i = 0; i < 4; i++)
        CHECK_STATUS(ps_signal_all(bad[i]), PS_ERR_INVALID_ARGUMENT);
    CHECK_INT(state_of(alive), PS_STATE_RUNNING);

    CHECK(ps_signal_all(SIGTERM) == PS_OK);

    ps_exit end = reap(alive);
    CHECK(end.signal == SIGTERM && end.cause == PS_CAUSE_OWNER);
    end = reap(zombie);
    CHECK(end.kind == PS_EXIT_EXITED && end.code == 0);

    ps_child_free(reaped);
    ps_child_free(zombie);
    ps_child_free(alive);
    return 0;
}
