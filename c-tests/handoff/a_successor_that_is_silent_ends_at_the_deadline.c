/* The successor hangs before it says HELLO, while it loads, or when it is warm (and the owner's own application
   does not answer DRAIN or SEAL): the handoff ends at its deadline, for both sides, and the owner is as before. */
/* covers: LAW-15, L2 */
/* serial */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    for (int spawned = 1; spawned >= 0; spawned--)
        for (enum phase at = spawned ? MET : LOADING; at <= SEALING; at++) {
            char *before = snapshot(o);
            int64_t start = now_ms();
            party *n = successor(o, spawned, 400);
            bring(o, n, MET, at);
            called_off(o, at, PS_ERR_TIMEOUT);
            CHECK(now_ms() - start >= 350 && now_ms() - start < 4000 * slowness());
            if (!spawned) {
                aborted(n, PS_ERR_TIMEOUT);
                leave(n);
            }
            gone(n);
            as_before(o, before);
        }
    stage_end();
    return 0;
}
