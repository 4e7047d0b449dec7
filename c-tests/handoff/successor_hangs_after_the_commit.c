/* The successor is stopped after it was told LIVE, or on probation. Its deadline comes; it is killed, and only then
   does the owner take back (S1). */
/* covers: LAW-14, B4, S1, S2, L1, L2, D1.8 */
/* variants: only tier-fork, asan, valgrind: where pidfd_send_signal is filtered nobody can end a stranger that hangs */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 200;
    party *o = first("old");
    ask(o, "timeout %d %d", PS_HANDOFF_TIMEOUT_LIVE, 300 * slowness());
    for (int stopped = 1; stopped >= 0; stopped--)
        for (int spawned = 1; spawned >= 0; spawned--)
            for (enum phase at = GIVEN; at <= SERVING; at++) {
                char *before = snapshot(o);
                party *n = successor(o, spawned, 20000);
                bring(o, n, MET, at);
                int64_t start = now_ms();
                if (stopped)
                    stop(n);
                else
                    ask(n, "deaf 1");
                n->serves = false; /* it will be dead when the owner is told */
                CHECK_INT(expect(o, RESUME).unsealed, 1);
                CHECK(is_dead(n->pid));
                CHECK(now_ms() - start < 4000 * slowness());
                aborted(o, PS_ERR_EXITED);
                if (!spawned)
                    waitpid(n->pid, NULL, 0);
                gone(n);
                as_before(o, before);
            }
    stage_end();
    return 0;
}
