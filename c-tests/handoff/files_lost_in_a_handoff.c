/* Control path and lock file are taken in the middle of a handoff. Before the commit it is called off (PS_ERR_LOCK_REPLACED), the files are made anew,
   and the next one goes through; whoever is told, hears of the handoff first. After the commit it goes on, and the new generation makes them
   anew once it stands alone; or the old one, when it has taken back. */
/* covers: F30, LAW-14 */
/* variants: few */
#include "harness.h"
#include "handoff.h"

static void lose(void) { CHECK(unlink(stage.lock) == 0 && unlink(stage.path) == 0); }

static void healed(party *p)
{
    path_changed(p, PS_OK);
    CHECK(wait_until(exists(stage.lock) && exists(stage.path), 20000));
    ask(p, "sync");
    while (p->count) /* it has looked between the two removals */
        path_changed(p, PS_OK);
    path_is_kept();
    served_by(p);
}

int main(void)
{
    stage_begin();
    stage.probation = 200;
    party *o = first("old");
    for (int spawned = 1; spawned >= 0; spawned--)
        for (enum phase at = LOADING; at < GIVEN; at++) {
            party *n = successor(o, spawned, 20000);
            bring(o, n, MET, at);
            lose();
            called_off(o, at, PS_ERR_LOCK_REPLACED);
            if (!spawned) {
                aborted(n, PS_ERR_LOCK_REPLACED);
                CHECK(strstr(ask(n, "reason"), stage.lock) != NULL);
                leave(n);
            } else
                gone(n);
            healed(o);
            quiet(o);
        }
    for (enum phase at = GIVEN; at < SETTLED; at++) {
        party *n = upgrade(o, "new", 20000);
        bring(o, n, MET, at);
        lose();
        bring(o, n, at, SETTLED);
        leave(o);
        healed(n);
        quiet(n);
        o = n;
    }
    /* taken back */
    party *n = upgrade(o, "dies", 20000);
    bring(o, n, MET, GIVEN);
    lose();
    crash(n);
    CHECK(expect(o, RESUME).unsealed);
    aborted(o, PS_ERR_EXITED);
    healed(o);
    n = replaced(o);
    leave_in_order(n);
    stage_end();
    return 0;
}
