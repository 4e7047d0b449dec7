/* The spawned program is a wrapper that closes every descriptor it does not know, the channel among them, and then becomes the server: that one
   comes by the control path, as long as the whole deadline lasts, and the handoff goes on as if it had greeted on its channel. If it ends
   before, that is told at once; if it never comes, at the deadline. */
/* covers: F33, D1.4, L2 */
#include "harness.h"
#include "handoff_wrapped.h"

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    for (int overlap = 0; overlap < 2; overlap++) {
        stage.overlap = overlap;
        ask(o, "mode %d", overlap ? PS_HANDOFF_OVERLAP : PS_HANDOFF_EXCLUSIVE);
        party *n = wrapped(o, "c", 20000);
        told_nothing(o, 300); /* longer than a lost channel is waited for elsewhere */
        hand_over(o, n);
        served_by(n);
        o = n;
    }
    stage.overlap = false;
    ask(o, "mode %d", PS_HANDOFF_EXCLUSIVE);

    char *before = snapshot(o);
    party *n = wrapped(o, "c", 20000);
    crash(n);
    aborted(o, PS_ERR_EXITED);
    gone(n);
    as_before(o, before);

    before = snapshot(o);
    n = wrapped(o, "c", 400);
    aborted(o, PS_ERR_PROTOCOL);
    CHECK(strstr(ask(o, "reason"), "control path"));
    gone(n);
    as_before(o, before);

    /* one that has greeted, and fails: as ever */
    before = snapshot(o);
    n = wrapped(o, "c", 20000);
    bring(o, n, MET, LOADING);
    say(n, "failed no"); /* it may be ended before it can answer */
    aborted(o, PS_ERR_ABORTED);
    gone(n);
    as_before(o, before);
    o = replaced(o);
    leave_in_order(o);
    stage_end();
    return 0;
}
