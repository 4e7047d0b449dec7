/* The owner is stopped while it stands by: its successor stands alone at its own deadline; when the old one wakes up it
   retires and harms nobody. */
/* covers: S9, L1 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 200;
    for (int spawned = 1; spawned >= 0; spawned--) {
        party *o = first("old");
        ask(o, "timeout %d %d", PS_HANDOFF_TIMEOUT_LIVE, 300 * slowness());
        party *n = successor(o, spawned, 20000);
        bring(o, n, MET, SERVING);
        stop(o);
        expect_within(n, COMMITTED, 5000);
        served_by(n);
        go_on(o);
        expect(o, RETIRE);
        leave(o);
        served_by(n);
        quiet(n);
        leave_in_order(n);
    }
    stage_end();
    return 0;
}
