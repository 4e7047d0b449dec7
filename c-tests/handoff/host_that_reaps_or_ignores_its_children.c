/* The old generation ignores SIGCHLD, or reaps every child it finds: a successor that dies, before and after the commit,
   is still noticed at once, and one that is not needed is still ended. */
/* covers: LAW-3 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    static const char *const habits[] = {"ignore_children", "steal_children"};
    stage_begin();
    for (int habit = 0; habit < 2; habit++) {
        party *o = first("old");
        ask(o, "%s", habits[habit]);
        char *before = snapshot(o);
        for (enum phase at = MET; at <= SERVING; at++) {
            party *n = upgrade(o, "new", 20000);
            bring(o, n, MET, at);
            crash(n);
            if (at >= WARM)
                CHECK_INT(expect_within(o, RESUME, 2000).unsealed, at >= GIVEN);
            aborted(o, PS_ERR_EXITED);
            gone(n);
            as_before(o, strdup(before));
        }
        for (enum phase at = MET; at <= SEALING; at++) {
            party *n = upgrade(o, "new", 20000);
            bring(o, n, MET, at);
            ask(o, "cancel");
            called_off(o, at, PS_ERR_CANCELLED);
            gone(n);
            as_before(o, strdup(before));
        }
        free(before);
        leave_in_order(replaced(o));
    }
    stage_end();
    return 0;
}
