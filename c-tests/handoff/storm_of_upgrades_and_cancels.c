/* A hundred successors are started and called off at once, one after the other, some of them deaf to SIGTERM, some stopped:
   all are gone in the end, and an ordinary handoff goes between them. */
/* covers: S8 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    char *before = snapshot(o);
    for (int i = 0; i < 100; i++) {
        ask(o, "upgrade 20000 %s", helper_path(i % 10 == 3 ? "ignore_term" : "pause_forever"));
        ask(o, "cancel");
        ps_handoff_event event = aborted(o, PS_ERR_CANCELLED);
        if (i % 10 == 4)
            kill(event.peer_pid, SIGSTOP);
    }
    CHECK(wait_until(ask_number(o, "children") == 0, 20000));
    as_before(o, before);
    for (int i = 0; i < 5; i++) {
        ask(o, "upgrade 20000 %s", helper_path("ignore_term"));
        ask(o, "cancel");
        aborted(o, PS_ERR_CANCELLED);
    }
    party *n = upgrade(o, "new", 20000);
    bring(o, n, MET, SETTLED);
    int64_t start = now_ms();
    ask(o, "free");
    CHECK(now_ms() - start < 4000 * slowness());
    leave(o);
    served_by(n);
    leave_in_order(n);
    stage_end(); /* checks that nobody is left */
    return 0;
}
