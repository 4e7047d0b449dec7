/* Overlap mode, where the commit follows DRAIN: the successor dies or gives up before and after the commit; the owner's
   application fails, or never answers SEAL, when both serve. */
/* covers: L1 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.overlap = true;
    stage.probation = 100;
    party *o = first("old");
    for (int spawned = 1; spawned >= 0; spawned--) {
        /* before the commit */
        for (enum phase at = LOADING; at <= WARM; at++) {
            char *before = snapshot(o);
            party *n = successor(o, spawned, 20000);
            bring(o, n, MET, at);
            crash(n);
            called_off(o, at, PS_ERR_EXITED);
            gone(n);
            as_before(o, before);
        }
        /* after it */
        for (int crashes = 0; crashes < 2; crashes++)
            for (int at = 0; at < 3; at++) { /* told LIVE; serving while the owner was told SEAL; on probation */
                char *before = snapshot(o);
                party *n = successor(o, spawned, 20000);
                bring(o, n, MET, GIVEN);
                if (at > 0) {
                    ask(n, "live");
                    expect(o, SEAL);
                }
                if (at > 1) {
                    ask(o, "timeout %d 20000", PS_HANDOFF_TIMEOUT_PROBATION); /* from the next handoff on */
                    ask(o, "sealed 7");
                    expect(o, COMMITTED);
                }
                if (crashes)
                    crash(n);
                else
                    say(n, "failed it was too much");
                CHECK_INT(expect(o, RESUME).unsealed, 1);
                aborted(o, crashes ? PS_ERR_EXITED : PS_ERR_ABORTED);
                if (!crashes && !spawned) {
                    answered(n, "failed", "PS_OK");
                    aborted(n, PS_ERR_ABORTED);
                    leave(n);
                }
                gone(n);
                as_before(o, before);
            }
    }
    /* the owner cannot, or does not, stop: the successor owns, and the handoff goes on (RETIRE ends it) */
    ask(o, "timeout %d 100", PS_HANDOFF_TIMEOUT_PROBATION);
    for (int silent = 0; silent < 2; silent++) {
        ask(o, "timeout %d 300", PS_HANDOFF_TIMEOUT_SEAL);
        party *n = successor(o, silent, 20000);
        bring(o, n, MET, GIVEN);
        ask(n, "live");
        expect(o, SEAL);
        if (!silent)
            ask(o, "failed it cannot stop");
        expect(o, COMMITTED);
        expect(n, COMMITTED);
        expect(o, RETIRE);
        leave(o);
        served_by(n);
        o = n;
    }
    leave_in_order(o);
    stage_end();
    return 0;
}
