/* Four generations, each started by the test and none the child of another, take over by the control path one after the
   other: the path that the first has bound serves all of them, also when those that bound it or listened before are long dead.
   */
/* covers: D1.3 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("first");
    for (int round = 0; round < 4; round++) {
        party *n = takeover("next");
        ps_handoff_event event;
        enter(n, PS_HANDOFF_SUCCESSOR);
        poll(NULL, 0, 30); /* whoever took a dead generation for its owner would promote itself here */
        quiet(n);
        quiet(o);
        served_by(o);
        ask(n, "warm");
        event = expect(o, DRAIN);
        CHECK_INT(event.peer_pid, n->pid);
        bring(o, n, WARM, SEALING);
        ask(o, "sealed 7");
        event = expect(n, LIVE);
        CHECK_INT(event.peer_pid, o->pid);
        bring(o, n, GIVEN, SETTLED);
        leave(o);
        served_by(n);
        CHECK_INT(ask_number(n, "generation"), round + 2);
        o = n;
    }
    /* and when the owner dies at last, the next is warned by its own pidfd */
    party *n = takeover("last");
    enter(n, PS_HANDOFF_SUCCESSOR);
    ask(n, "warm");
    expect(o, DRAIN);
    crash(o);
    CHECK_INT(expect_within(n, LIVE, 4000).unsealed, 1);
    ask(n, "live");
    expect(n, COMMITTED);
    served_by(n);
    stage_end();
    return 0;
}
