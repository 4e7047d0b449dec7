/* Overlap mode: the owner is killed in each phase, and its successor serves in the end. */
/* covers: L1 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.overlap = true;
    party *o = first("first");
    for (int spawned = 1; spawned >= 0; spawned--)
        for (int at = 0; at < 5; at++) { /* loading, warm, told LIVE, serving, on probation */
            party *n = successor(o, spawned, 20000);
            bring(o, n, MET, at < 2 ? (int)LOADING + at : at == 4 ? (int)SERVING : (int)GIVEN);
            if (at == 3) {
                ask(n, "live");
                expect(o, SEAL);
            }
            crash(o);
            gone(o);
            if (at == 0)
                ask(n, "warm");
            if (at < 2)
                CHECK_INT(expect(n, LIVE).unsealed, 1);
            if (at < 3)
                ask(n, "live");
            expect_within(n, COMMITTED, 2000);
            served_by(n);
            o = n;
        }
    leave_in_order(o);
    stage_end();
    return 0;
}
