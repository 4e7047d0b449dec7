/* The successor is killed in each phase before the commit, by either way in. The owner is told why, and RESUME if
   it was told to drain; nothing of it has changed, no zombie is left, and it can be replaced after all. */
/* covers: S7, S8, L1 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    for (int spawned = 1; spawned >= 0; spawned--)
        for (enum phase at = spawned ? MET : LOADING; at <= SEALING; at++) {
            char *before = snapshot(o);
            party *n = successor(o, spawned, 20000);
            bring(o, n, MET, at);
            crash(n);
            if (at >= WARM)
                CHECK_INT(expect_within(o, RESUME, 4000).unsealed, 0);
            aborted(o, PS_ERR_EXITED);
            if (!spawned)
                waitpid(n->pid, NULL, 0);
            gone(n);
            as_before(o, before);
            CHECK_INT(ask_number(o, "generation"), 1);
        }
    leave_in_order(replaced(o));
    stage_end();
    return 0;
}
