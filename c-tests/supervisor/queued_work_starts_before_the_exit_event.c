/* When the EXITED can be taken, who got the slot is a process already; and its STARTED comes after. */
/* covers: SC-5 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(1);
    ps_child *last = spawn_named(supervisor, pausing(), 1);
    expect(supervisor, PS_EVENT_STARTED, 1);
    for (uint64_t i = 2; i < 12; i++) {
        ps_child *next = spawn_named(supervisor, pausing(), i);
        CHECK_INT(state_of(next), PS_STATE_PENDING);
        kill(pid_of(last), SIGKILL);
        expect(supervisor, PS_EVENT_EXITED, i - 1);
        CHECK(!is_dead(pid_of(next)));
        CHECK_INT(child_count(), 1);
        CHECK_INT(state_of(next), PS_STATE_RUNNING);
        CHECK_INT(expect(supervisor, PS_EVENT_STARTED, i).pid, pid_of(next));
        ps_child_free(last);
        last = next;
    }
    kill_and_free(last);
    ps_supervisor_free(supervisor);
    return 0;
}
