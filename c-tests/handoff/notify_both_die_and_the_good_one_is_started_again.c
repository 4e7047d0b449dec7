/*
 * Old and new die: the last good command is started again from the listeners that the supervisor holds, as often as the budget allows. Clients that come
 * meanwhile are answered by it.
 */
/* covers: C16-3, L5 */
/* variants: few */
#include "notify_supervised.h"

int main(void)
{
    stage_begin();
    CHECK_OK(ps_handoff_supervisor_set_restart(sup, 2, 600000, &problem), problem);
    pid_t old = first_serves(daemon_of(NULL));
    replace(daemon_of("never", NULL), 0, 0);
    pid_t new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    answer(connect_and('x'));
    int waiting = connect_and('p');
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_OWNER_ENDED)->pid, old);
    CHECK(kill(new, SIGKILL) == 0);
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_ABORTED)->peer_pid, new);
    for (int i = 0; i < 2; i++) {
        pid_t again = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
        CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid, again);
        CHECK_INT(answer(waiting), again);
        answer(connect_and('x'));
        waiting = connect_and('p');
        CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_OWNER_ENDED)->pid, again);
    }
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_GAVE_UP)->reason, PS_ERR_BUDGET_EXHAUSTED);
    CHECK_STATUS(ps_handoff_supervisor_stop(sup, 0, NULL), PS_ERR_STATE);
    start(daemon_of(NULL)); /* the listeners are still held, and their line */
    pid_t by_hand = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid, by_hand);
    CHECK_INT(answer(waiting), by_hand);
    stage_end();
    return 0;
}
