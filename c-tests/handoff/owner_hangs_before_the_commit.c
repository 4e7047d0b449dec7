/* The owner is stopped before the commit. It stays the owner: its successor gives up at the deadline, and when the
   owner goes on, it is told to. */
/* covers: L1, L2 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    for (int spawned = 1; spawned >= 0; spawned--)
        for (enum phase at = LOADING; at <= SEALING; at++) {
            char *before = snapshot(o);
            party *n = successor(o, spawned, 500);
            bring(o, n, MET, at);
            stop(o);
            aborted(n, PS_ERR_TIMEOUT);
            quiet(n);
            go_on(o);
            if (at >= WARM)
                CHECK_INT(expect(o, RESUME).unsealed, 0);
            expect(o, ABORTED);
            if (!spawned)
                leave(n);
            gone(n);
            as_before(o, before);
            CHECK_INT(ask_number(o, "generation"), 1);
        }
    stage_end();
    return 0;
}
