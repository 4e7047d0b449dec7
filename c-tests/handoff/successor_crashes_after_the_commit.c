/* The successor is killed when it was told LIVE, and when it serves, on probation: the owner takes back at once, told
   that there may be writes it does not know, under a generation of its own (S4). No zombie is left, although the successor was
   no child any more. */
/* covers: LAW-14, B4, S1, S2, S4, L1, D1.8 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    int generation = 1;
    for (int spawned = 1; spawned >= 0; spawned--)
        for (enum phase at = GIVEN; at <= SERVING; at++) {
            char *before = snapshot(o);
            party *n = successor(o, spawned, 20000);
            bring(o, n, MET, at);
            crash(n);
            ps_handoff_event event = expect_within(o, RESUME, 4000);
            CHECK(event.unsealed == 1 && event.peer_pid == n->pid);
            aborted(o, PS_ERR_EXITED);
            if (!spawned)
                waitpid(n->pid, NULL, 0);
            gone(n);
            generation += 2;
            CHECK_INT(ask_number(o, "generation"), generation);
            as_before(o, before);
        }
    stage.probation = 50;
    ask(o, "timeout %d 50", PS_HANDOFF_TIMEOUT_PROBATION);
    party *n = takeover("last");
    hand_over(o, n);
    CHECK_INT(ask_number(n, "generation"), generation + 1);
    leave_in_order(n);
    stage_end();
    return 0;
}
