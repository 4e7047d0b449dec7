/* ps_handoff_free of either side in each phase: before the commit the owner's calls the handoff off, and the successor's gives
   up; after it the successor stays. Nobody hangs, nobody is left over, exactly one serves or can be started. */
/* covers: S13 */
#include "harness.h"
#include "handoff.h"

static void the_successors(party *o, enum phase at, bool spawned)
{
    char *before = snapshot(o);
    party *n = successor(o, spawned, 20000);
    bring(o, n, MET, at);
    serving(n, false);
    say(n, "free");
    if (at >= WARM)
        CHECK_INT(expect_within(o, RESUME, 3000).unsealed, 0);
    expect_within(o, ABORTED, 3000);
    if (!spawned) {
        answered(n, "free", "PS_OK");
        leave(n);
    }
    gone(n);
    as_before(o, before);
}

static void the_owners(enum phase at)
{
    party *o = first("old");
    party *n = takeover("new");
    bring(o, n, MET, at);
    serving(o, false);
    ask(o, "free");
    CHECK_INT(ask_number(o, "children"), 0);
    if (at < GIVEN) {
        aborted(n, PS_ERR_CANCELLED);
        quiet(n);
        CHECK_INT(guest(), -1);
        CHECK(!exists(stage.path)); /* it was the last */
    } else {
        if (at == GIVEN)
            ask(n, "live");
        expect(n, COMMITTED);
        served_by(n);
    }
    leave(o);
    leave_in_order(n);
}

int main(void)
{
    stage_begin();
    stage.probation = 500;
    party *o = first("old");
    for (int spawned = 1; spawned >= 0; spawned--)
        for (enum phase at = LOADING; at <= SEALING; at++)
            the_successors(o, at, spawned);
    leave_in_order(o);
    for (enum phase at = LOADING; at <= SERVING; at++)
        the_owners(at);
    stage_end();
    return 0;
}
