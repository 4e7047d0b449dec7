/* PS_HANDOFF_TIMEOUT_PROBATION of 0: the old generation asks at once whether the successor stands alone, and retires. A long
   one ends as soon as the successor is gone, not before. */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    for (int i = 0; i < 4; i++) {
        ask(o, "timeout %d 0", PS_HANDOFF_TIMEOUT_PROBATION);
        party *n = successor(o, i % 2, 20000);
        int64_t start = now_ms();
        bring(o, n, MET, SETTLED);
        CHECK(now_ms() - start < 4000 * slowness());
        leave(o);
        served_by(n);
        o = n;
    }
    leave_in_order(o);
    stage_end();
    return 0;
}
