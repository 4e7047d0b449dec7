/* The owner dies while its successor loads. The lock goes on being held: a process that comes meanwhile is not a first
   generation; it waits until the orphan owns, and takes over from that one. */
/* covers: B13, S6, D1.6 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    party *n = upgrade(o, "new", 20000);
    bring(o, n, MET, LOADING);
    crash(o);
    gone(o);
    party *third = takeover("third");
    say(third, "new %s", stage.path);
    CHECK_INT(listen_to(third, 300), 0);
    ask(n, "warm");
    CHECK_INT(expect(n, LIVE).unsealed, 1);
    CHECK_INT(listen_to(third, 100), 0);
    ask(n, "live");
    expect(n, COMMITTED);
    CHECK_INT(atoi(answered(third, "new", "PS_OK")), PS_HANDOFF_SUCCESSOR);
    if (variant_is("locked-down")) /* its first connection named a dead process, and without pidfd_open that is all there is */
        expect(n, ABORTED);
    ask(n, "timeout %d 20", PS_HANDOFF_TIMEOUT_PROBATION);
    bring(n, third, LOADING, WARM);
    bring(n, third, WARM, SETTLED);
    served_by(third);
    stage_end();
    return 0;
}
