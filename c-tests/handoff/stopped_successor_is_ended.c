/* A spawned successor that was stopped (SIGSTOP) in any phase before the commit is ended when the handoff is called off,
   and reaped. */
/* covers: S8 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    for (enum phase at = MET; at <= SEALING; at++) {
        char *before = snapshot(o);
        party *n = upgrade(o, "new", 20000);
        bring(o, n, MET, at);
        stop(n);
        ask(o, "cancel");
        if (at >= WARM)
            expect(o, RESUME);
        aborted(o, PS_ERR_CANCELLED);
        served_by(o);
        gone(n);
        as_before(o, before);
    }
    stage_end();
    return 0;
}
