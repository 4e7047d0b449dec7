/* In a forked copy of either generation all calls answer PS_ERR_FORKED, also while a handoff is under way, and what the
   copy does, ps_handoff_free and exit included, is felt by nobody. */
/* covers: LAW-6 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 200;
    party *o = first("old");
    CHECK_INT(ask_number(o, "copy"), 0);
    party *n = upgrade(o, "new", 20000);
    CHECK_INT(ask_number(o, "copy"), 0);
    for (enum phase at = MET; at <= SERVING; at++) {
        bring(o, n, at, at + 1);
        CHECK_INT(ask_number(o, "copy"), 0);
        CHECK_INT(ask_number(n, "copy"), 0);
        if (at < GIVEN) /* later RETIRE may come at any time */
            quiet(o);
    }
    leave(o);
    served_by(n);
    int fd = guest();
    CHECK(fd >= 0);
    stage_end();
    return 0;
}
