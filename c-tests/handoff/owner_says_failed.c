/* The owner's application cannot drain, or cannot seal: RESUME exactly once, then ABORTED; the successor is told as
   well. Before DRAIN there is nothing to resume. */
/* covers: B6, B7, S12, D1.8 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    ask_for(o, PS_ERR_STATE, "failed no handoff is under way");
    for (int spawned = 1; spawned >= 0; spawned--)
        for (enum phase at = LOADING; at <= SEALING; at++) {
            char *before = snapshot(o);
            party *n = successor(o, spawned, 20000);
            bring(o, n, MET, at);
            ask(o, "failed the disk is full");
            called_off(o, at, PS_ERR_ABORTED);
            CHECK_STR(ask(o, "reason"), "the disk is full");
            if (!spawned) {
                aborted(n, PS_ERR_ABORTED);
                CHECK_STR(ask(n, "reason"), "the disk is full");
                leave(n);
            }
            gone(n);
            as_before(o, before);
        }
    stage_end();
    return 0;
}
