/* A successor that was told LIVE and frees its handle without a word keeps what it was given until it ends: it may be writing. The owner takes
   back once it is dead, at the latest when it has killed it at its deadline. */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 100;
    party *o = first("old");
    ask(o, "timeout %d 200", PS_HANDOFF_TIMEOUT_LIVE);
    for (int ends = 1; ends >= 0; ends--)
        for (enum phase at = GIVEN; at <= SERVING; at++) {
            char *before = snapshot(o);
            party *n = takeover("new");
            bring(o, n, MET, at);
            ask(n, "free");
            if (ends)
                leave(n);
            n->serves = false;
            CHECK_INT(expect(o, RESUME).unsealed, 1);
            aborted(o, PS_ERR_EXITED);
            gone(n);
            as_before(o, before);
        }
    stage_end();
    return 0;
}
