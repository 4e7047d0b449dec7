/* The owner dies before its spawned successor has called ps_handoff_new: there is nobody to take over from, so this one is
   the first of a cold start, with a generation of its own (S4). */
/* covers: B3, S4, L1 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    party *n = upgrade(o, "new", 20000);
    crash(o);
    gone(o);
    enter(n, PS_HANDOFF_FIRST);
    CHECK_INT(expect(n, LIVE).unsealed, 0);
    CHECK_INT(ask_number(n, "generation"), 2);
    ask(n, "live");
    served_by(n);
    int fd = guest();
    CHECK(fd >= 0);
    close(fd);
    leave_in_order(n);
    stage_end();
    return 0;
}
