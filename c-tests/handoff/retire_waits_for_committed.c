/* Whoever watches the old process (a service manager, a pid file) must hear of the new one before the old one ends. So RETIRE waits until the new
   generation's server has taken COMMITTED and has come back for the next event, though it takes one event at a time. */
/* covers: F32, S15 */
/* variants: few: sixty handoffs */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 1;
    party *o = first("first");
    for (int round = 1; round <= 60; round++) {
        stage.overlap = round % 3 == 0;
        ask(o, "mode %d", stage.overlap ? PS_HANDOFF_OVERLAP : PS_HANDOFF_EXCLUSIVE);
        party *n = successor(o, round % 2, 20000);
        ask(n, "hold");
        bring(o, n, MET, SERVING);
        expect(n, COMMITTED);
        quiet(o);
        served_by(n);
        CHECK_INT(ask_number(n, "generation"), round + 1);
        CHECK_INT(ask_number(n, "role"), PS_HANDOFF_SUCCESSOR);
        ask(n, "deaf 0");
        expect(o, RETIRE);
        leave(o);
        o = n;
    }
    leave_in_order(o);
    stage_end();
    return 0;
}
