/* Overlap mode: the successor accepts beside the owner, which is told SEAL only then; no moment without somebody who
   accepts. */
/* covers: S14, D1.3, D1.7 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.overlap = true;
    for (int spawned = 1; spawned >= 0; spawned--) {
        party *o = first("old");
        party *n = successor(o, spawned, 20000);
        enter(n, PS_HANDOFF_SUCCESSOR);
        ask(n, "warm");
        ps_handoff_event drain = expect(o, DRAIN);
        served_by(o);
        ask_for(o, PS_ERR_STATE, "sealed 1");
        ask(o, "drained");
        ps_handoff_event live = expect(n, LIVE);
        CHECK(live.unsealed == 0 && live.handoff_id == drain.handoff_id);
        quiet(o);
        ask(n, "live");
        ps_handoff_event seal = expect(o, SEAL);
        CHECK(seal.deadline_ns > seal.time_ns && seal.handoff_id == drain.handoff_id);
        quiet(n);
        ask(o, "sealed 5");
        expect(o, COMMITTED);
        served_by(n);
        expect(n, COMMITTED);
        expect(o, RETIRE);
        leave(o);
        served_by(n);
        leave_in_order(n);
    }
    stage_end();
    return 0;
}
