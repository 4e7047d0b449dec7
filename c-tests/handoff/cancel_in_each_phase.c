/* The owner calls it off in each phase before the commit: RESUME if it was told to drain, ABORTED with PS_ERR_CANCELLED on
   both sides, and it is as before. From the commit on it cannot. */
/* covers: S7, S8, S12, D1.2 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    ask_for(o, PS_ERR_STATE, "cancel");
    for (int spawned = 1; spawned >= 0; spawned--)
        for (enum phase at = spawned ? MET : LOADING; at <= SEALING; at++) {
            char *before = snapshot(o);
            party *n = successor(o, spawned, 20000);
            bring(o, n, MET, at);
            ask(o, "cancel");
            called_off(o, at, PS_ERR_CANCELLED);
            ask_for(o, PS_ERR_STATE, "cancel");
            if (!spawned) {
                aborted(n, PS_ERR_CANCELLED);
                leave(n);
            }
            gone(n);
            as_before(o, before);
        }
    for (enum phase at = GIVEN; at <= SERVING; at++) {
        party *n = upgrade(o, "new", 20000);
        bring(o, n, MET, at);
        ask_for(o, PS_ERR_STATE, "cancel");
        quiet(o);
        crash(n);
        expect(o, RESUME);
        aborted(o, PS_ERR_EXITED);
    }
    stage_end();
    return 0;
}
