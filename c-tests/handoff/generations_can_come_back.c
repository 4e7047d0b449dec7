/* A process that has retired, or whose handoff came to nothing, can open its handle anew: two processes hand over to each
   other, the second one spawned by the first; and one handle after the other of the same process is a cold start each. */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *a = first("a");
    ask(a, "free");
    enter(a, PS_HANDOFF_FIRST);
    expect(a, LIVE);
    ask(a, "live");
    CHECK_INT(ask_number(a, "generation"), 2);
    party *b = upgrade(a, "b", 20000);
    int generation = 2, fds = 0;
    for (int round = 0; round < 8; round++) {
        party *o = round % 2 ? b : a, *n = round % 2 ? a : b;
        bring(o, n, MET, SETTLED);
        ask(o, "free");
        CHECK_INT(ask_number(n, "generation"), ++generation);
        served_by(n);
        if (round == 2)
            fds = (int)ask_number(n, "fds");
        if (round > 2 && round % 2 == 0)
            CHECK_INT(ask_number(n, "fds"), fds);
    }
    party *n = takeover("one that gives up");
    bring(a, n, MET, WARM);
    ask(n, "failed not yet");
    expect(a, RESUME);
    aborted(a, PS_ERR_ABORTED);
    aborted(n, PS_ERR_ABORTED);
    ask(n, "free");
    bring(a, n, MET, SETTLED);
    served_by(n);
    stage_end();
    return 0;
}
