/* What was set during a handoff that came to nothing is handed on by the next one, whole. */
/* covers: D1.7 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    stage_begin();
    party *o = first("old");
    hand_on(o, "a", ends[0]);
    hand_on(o, "b", ends[0]);
    party *n = takeover("first try");
    bring(o, n, MET, SEALING);
    hand_on(o, "a", ends[1]);
    hand_on(o, "c", ends[1]);
    ask(o, "unset b");
    ask(o, "set_state 1000 3");
    ask(o, "cancel");
    called_off(o, SEALING, PS_ERR_CANCELLED);
    aborted(n, PS_ERR_CANCELLED);
    leave(n);
    n = takeover("second try");
    enter(n, PS_HANDOFF_SUCCESSOR);
    CHECK_STR(ask(n, "names"), "a\nc\n");
    CHECK_STR(ask(n, "state"), "1000 3");
    takes(n, "a", ends[1]);
    stage_end();
    return 0;
}
