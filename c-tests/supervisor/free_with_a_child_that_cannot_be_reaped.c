/* A zombie that a tracer holds cannot be reaped: free ends after its bound all the same, and when the tracer lets go the
   child is reaped later and its handle answers; also one that would have come back. */
/* covers: SC-9, RP-37 */
/* variants: not no-waitid-pidfd, locked-down: without it the zombie looks reaped or running, which is another story */
/* timeout: 120 */
#include "harness.h"
#include "supervising.h"
#include "tracer.h"

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    ps_child *child[2] = {spawn_named(supervisor, pausing(), 1),
                          spawn_named(supervisor, restarting(pausing(), PS_RESTART_ALWAYS, 0, 0), 2)};
    int ready[2], release[2];
    CHECK(pipe(ready) == 0 && pipe(release) == 0);
    pid_t pids[2] = {pid_of(child[0]), pid_of(child[1])};
    tracer tracer = tracer_begin(pids, 2);
    int64_t start = now_ns();
    ps_supervisor_free(supervisor);
    CHECK(elapsed_ms(start) < PATIENCE_MS); /* the tracer does not let go before */
    CHECK_STATUS(ps_reap(child[0], 50, NULL, NULL), PS_ERR_TIMEOUT);
    CHECK_STATUS(ps_reap(child[1], 50, NULL, NULL), PS_ERR_TIMEOUT);
    tracer_end(tracer);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(reap(child[i]).cause, PS_CAUSE_SHUTDOWN);
        CHECK_INT(state_of(child[i]), PS_STATE_EXITED);
        ps_child_free(child[i]);
    }
    CHECK(has_no_child());
    return 0;
}
