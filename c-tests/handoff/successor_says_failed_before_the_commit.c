/* The successor's application cannot go on, while it loads or when it is warm: the owner hears its words, and is as
   before. */
/* covers: B10, S7, S8 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    for (int spawned = 1; spawned >= 0; spawned--)
        for (enum phase at = LOADING; at <= SEALING; at++) {
            char *before = snapshot(o);
            party *n = successor(o, spawned, 20000);
            bring(o, n, MET, at);
            say(n, "failed a table is missing");
            called_off(o, at, PS_ERR_ABORTED);
            CHECK_STR(ask(o, "reason"), "a table is missing");
            if (!spawned) {
                answered(n, "failed", "PS_OK");
                aborted(n, PS_ERR_ABORTED);
                ask_for(n, PS_ERR_STATE, "failed again");
                ask_for(n, PS_ERR_STATE, "warm");
                quiet(n);
                leave(n);
            }
            gone(n);
            as_before(o, before);
        }
    stage_end();
    return 0;
}
