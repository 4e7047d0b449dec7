/* The owner is killed in each phase. A successor that has loaded goes on: LIVE, unsealed before the commit
   (run crash recovery), sealed after it; one that serves on probation stands alone at once. */
/* covers: LAW-14, B3, B15, S3, L1, L5, D1.8 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    int generation = 1;
    party *o = first("first");
    for (int spawned = 1; spawned >= 0; spawned--)
        for (enum phase at = LOADING; at <= SERVING; at++) {
            party *n = successor(o, spawned, 20000);
            if (at == GIVEN) { /* the COMMIT is sent, and not read */
                bring(o, n, MET, SEALING);
                ask(n, "deaf 1");
                ask(o, "sealed 7");
            } else {
                bring(o, n, MET, at);
            }
            crash(o);
            gone(o);
            if (at == LOADING) {
                quiet(n); /* however long it loads */
                ask(n, "warm");
            }
            if (at == GIVEN)
                ask(n, "deaf 0");
            if (at < SERVING) {
                ps_handoff_event live = expect_within(n, LIVE, 4000);
                CHECK_INT(live.unsealed, at < GIVEN);
                CHECK_INT(live.revision, at == GIVEN ? 7 : 0);
                ask(n, "live");
            }
            expect_within(n, COMMITTED, 4000);
            served_by(n);
            CHECK_INT(ask_number(n, "generation"), ++generation);
            quiet(n);
            o = n; /* and it can be replaced in turn (L3) */
        }
    leave_in_order(o);
    CHECK(!exists(stage.path));
    stage_end();
    return 0;
}
