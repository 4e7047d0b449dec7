/* A successor that was told LIVE, and one that serves on probation, says that it cannot: the owner takes back without
   killing anybody that it did not start, told to read its storage anew. */
/* covers: B14, S1, S2 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    for (int spawned = 1; spawned >= 0; spawned--)
        for (enum phase at = GIVEN; at <= SERVING; at++) {
            char *before = snapshot(o);
            party *n = successor(o, spawned, 20000);
            bring(o, n, MET, at);
            serving(n, false);
            say(n, "failed the writer does not open");
            CHECK_INT(expect(o, RESUME).unsealed, 1);
            aborted(o, PS_ERR_ABORTED);
            CHECK_STR(ask(o, "reason"), "the writer does not open");
            if (!spawned) {
                answered(n, "failed", "PS_OK");
                aborted(n, PS_ERR_ABORTED);
                ask_for(n, PS_ERR_STATE, "live");
                leave(n);
            }
            gone(n);
            as_before(o, before);
        }
    stage_end();
    return 0;
}
