/*
 * The owner is killed at each step of a supervised replacement. Its successor goes on in its place, also where it has not come to it yet (then it starts
 * with the listener that it was given at its start); no connection is refused, and what was acknowledged stays.
 */
/* covers: C16-1, L1, B3, B5, B14, HO-10 */
/* variants: few */
/* timeout: 120 */
#include "supervised.h"

static const struct {
    const char *step;
    bool of_owner;
    int told; /* whether OWNER_ENDED is: not where the successor owned by then; 2: that may be so, it is warm */
} steps[] = {{"begun", 0, 1}, {"offered", 0, 1}, {"warm", 0, 1}, {"drain", 1, 2}, {"seal", 1, 2}, {"live", 0, 0}, {"committed", 0, 0}};

int main(void)
{
    char hold[32];
    pid_t owner = scene_serving("");
    CHECK_STATUS(ps_handoff_supervisor_set_restart(sup, 100, 0, NULL), PS_OK);
    for (unsigned at = 0; at < sizeof steps / sizeof *steps; at++) {
        stay();
        snprintf(hold, sizeof hold, "hold=%s", steps[at].step);
        if (steps[at].of_owner) {
            sup_replace(20000, hold);
            owner = expect(STARTED)->pid;
            expect(COMMITTED);
            expect(SERVING);
        }
        goes_on();
        sup_replace(20000, steps[at].of_owner ? "" : hold);
        pid_t new = expect(STARTED)->pid;
        CHECK(wait_until((quiet(), is_reached(steps[at].of_owner ? owner : new, steps[at].step)), IN_TIME));
        kill(owner, SIGKILL);
        if (steps[at].told == 1)
            expect(OWNER_ENDED);
        go();
        if (steps[at].told == 2)
            expect_any(OWNER_ENDED, COMMITTED);
        if (last.kind == OWNER_ENDED) {
            CHECK_INT(last.pid, owner);
            CHECK_INT(last.exit_signal, SIGKILL);
        }
        if (last.kind != COMMITTED)
            expect(COMMITTED);
        CHECK_INT(last.pid, new);
        CHECK_INT(expect(SERVING)->pid, new);
        answered_by(new);
        owner = new;
    }
    scene_end();
    return 0;
}
