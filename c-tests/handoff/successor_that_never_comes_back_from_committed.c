/* A server that takes COMMITTED and never comes back keeps the old generation for the LIVE timeout, and no longer. It owns all the same: it may
   come back later, and be replaced. */
/* covers: F32, LAW-15 */
#include "harness.h"
#include "handoff.h"

enum { HOLD_MS = 400 };

int main(void)
{
    stage_begin();
    stage.probation = 10;
    party *o = first("old");
    for (int spawned = 0; spawned <= 1; spawned++) {
        ask(o, "timeout %d %d", PS_HANDOFF_TIMEOUT_LIVE, HOLD_MS * slowness());
        party *n = successor(o, spawned, 20000);
        ask(n, "hold");
        bring(o, n, MET, SERVING);
        int64_t told = expect(n, COMMITTED).time_ns, retired = expect(o, RETIRE).time_ns;
        CHECK(retired - told >= (int64_t)HOLD_MS * slowness() * 1000000);
        leave(o);
        served_by(n);
        ask(n, "deaf 0");
        o = n;
    }
    o = replaced(o);
    leave_in_order(o);
    stage_end();
    return 0;
}
