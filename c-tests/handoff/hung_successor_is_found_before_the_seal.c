/* The successor hangs once it is warm. The owner finds that out while it still serves: it is never told SEAL, and goes on
   after PS_HANDOFF_TIMEOUT_LIVE. One that is only slow costs nothing: SEAL waits for it. */
/* covers: L1, L2 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    for (int spawned = 1; spawned >= 0; spawned--) {
        ask(o, "timeout %d %d", PS_HANDOFF_TIMEOUT_LIVE, 300);
        char *before = snapshot(o);
        party *n = successor(o, spawned, 60000);
        bring(o, n, MET, WARM);
        stop(n);
        ask(o, "drained");
        CHECK_INT(expect(o, RESUME).unsealed, 0);
        CHECK_INT(expect(o, ABORTED).reason, PS_ERR_TIMEOUT);
        served_by(o);
        CHECK_INT(ask_number(o, "generation"), spawned ? 1 : 2);
        go_on(n);
        if (!spawned) {
            aborted(n, PS_ERR_TIMEOUT);
            leave(n);
        }
        gone(n);
        as_before(o, before);

        ask(o, "timeout %d %d", PS_HANDOFF_TIMEOUT_LIVE, 20000);
        n = successor(o, spawned, 60000);
        bring(o, n, MET, WARM);
        stop(n);
        ask(o, "drained");
        quiet(o);
        served_by(o);
        go_on(n);
        expect(o, SEAL);
        bring(o, n, SEALING, SETTLED);
        leave(o);
        o = n;
    }
    leave_in_order(o);
    stage_end();
    return 0;
}
