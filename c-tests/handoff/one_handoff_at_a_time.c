/* While a handoff is under way, a second one is PS_ERR_IN_PROGRESS, from the owner itself in every phase of the first until
   the probation is over, and at the control path until the owner seals; who connects later than that waits for the new owner.
   The first is not disturbed. */
/* covers: L6 */
/* variants: only locked-down, old-kernel-5.4, asan: valgrind makes the rest of a handoff longer than the five seconds that a candidate waits */
#include "harness.h"
#include "handoff.h"

/* A candidate waits for five seconds: what it waits for here must not take longer. */
static bool takes_too_long(void)
{
    party *o = first("measured");
    party *n = upgrade(o, "its successor", 20000);
    bring(o, n, MET, SERVING);
    int64_t began = now_ms();
    takeover("no candidate");
    bring(o, n, SERVING, SETTLED);
    leave(o);
    bool late = now_ms() - began > 3000;
    leave(&stage.parties[stage.count - 1]);
    leave_in_order(n);
    return late;
}

int main(void)
{
    stage_begin();
    stage.probation = 700 / slowness();
    if (slowness() >= 10 && takes_too_long())
        SKIP("a candidate waits for five seconds, and here the rest of a handoff takes longer");
    for (int spawned = 1; spawned >= 0; spawned--) {
        party *o = first("old");
        party *n = successor(o, spawned, 20000);
        for (enum phase at = spawned ? MET : LOADING; at <= SEALING; at++) {
            if (at > MET)
                bring(o, n, at == LOADING ? MET : at - 1, at);
            ask_for(o, PS_ERR_IN_PROGRESS, "upgrade 1000 %s", helper_path("nothing"));
            if (at < SEALING) {
                party *late = takeover("late");
                ask_for(late, PS_ERR_IN_PROGRESS, "new %s", stage.path);
                leave(late);
            }
            quiet(o);
        }
        bring(o, n, SEALING, GIVEN);
        ask_for(o, PS_ERR_IN_PROGRESS, "upgrade 1000 %s", helper_path("nothing"));
        ask_for(n, PS_ERR_IN_PROGRESS, "upgrade 1000 %s", helper_path("nothing"));
        bring(o, n, GIVEN, SERVING);
        ask_for(o, PS_ERR_IN_PROGRESS, "upgrade 1000 %s", helper_path("nothing"));
        ask_for(n, PS_ERR_IN_PROGRESS, "upgrade 1000 %s", helper_path("nothing"));
        /* Who has connected to one and is answered by the other needs pidfd_open to know whom he speaks with, or connects anew. */
        party *next = takeover("patient");
        say(next, "new %s", stage.path);
        bring(o, n, SERVING, SETTLED);
        leave(o);
        CHECK_INT(atoi(answered(next, "new", "PS_OK")), PS_HANDOFF_SUCCESSOR);
        if (variant_is("locked-down"))
            expect(n, ABORTED);
        bring(n, next, LOADING, SETTLED);
        leave(n);
        leave_in_order(next);
    }
    stage_end();
    return 0;
}
