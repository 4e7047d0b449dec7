/* The first generation gets LIVE as its first event, announced by the descriptor, and owns nothing to hand over before it has
   answered; the same after a clean end, and after a crash, with a generation number that grows (S4). */
/* covers: S4 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    for (int round = 1; round <= 3; round++) {
        party *p = start("server");
        enter(p, PS_HANDOFF_FIRST);
        ps_handoff_event live = expect(p, LIVE);
        CHECK(live.revision == 0 && live.unsealed == 0 && live.peer_pid == 0 && live.reason == 0 && live.handoff_id == 0);
        CHECK_INT(ask_number(p, "generation"), round);
        CHECK_STR(ask(p, "names"), "");
        CHECK_STR(ask(p, "state"), "0 0");
        /* it has not opened: there is nothing to take over from */
        party *early = takeover("early");
        ask_for(early, PS_ERR_IN_PROGRESS, "new %s", stage.path);
        leave(early);
        quiet(p);
        ask(p, "live");
        quiet(p);
        served_by(p);
        if (round == 2) {
            crash(p);
            gone(p);
        } else {
            leave_in_order(p);
        }
    }
    stage_end();
    return 0;
}
