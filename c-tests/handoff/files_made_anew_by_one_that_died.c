/* A successor stands alone beside an owner that is stopped, loses its files and makes them anew, and dies. The owner wakes up, owns again, and what
   lies at the path is a dead one's socket: it makes that anew, too. */
/* covers: F30, L1, S8 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 200;
    for (int spawned = 1; spawned >= 0; spawned--) {
        party *o = first("old");
        ask(o, "timeout %d %d", PS_HANDOFF_TIMEOUT_LIVE, 300 * slowness());
        party *n = successor(o, spawned, 20000);
        bring(o, n, MET, SERVING);
        stop(o);
        expect_within(n, COMMITTED, 5000);
        CHECK(unlink(stage.lock) == 0 && unlink(stage.path) == 0);
        do path_changed(n, PS_OK); while (!exists(stage.path) || !exists(stage.lock));
        crash(n);
        go_on(o);
        CHECK_INT(expect(o, RESUME).unsealed, 1);
        aborted(o, PS_ERR_EXITED);
        do path_changed(o, PS_OK); while (guest() < 0);
        gone(n);
        path_is_kept();
        party *m = takeover("next");
        bring(o, m, MET, SETTLED);
        leave(o);
        served_by(m);
        leave_in_order(m);
        CHECK(!exists(stage.path));
    }
    stage_end();
    return 0;
}
