/* SC-9: a zombie that a tracer holds cannot be reaped: free ends after its bound all the same, and when the tracer lets go the
   child is reaped later and its handle answers; also one that would have come back. */
/* variants: not no-waitid-pidfd, locked-down: without it the zombie looks reaped or running, which is another story */
/* timeout: 120 */
#include "harness.h"
#include "supervising.h"
#include <sys/ptrace.h>

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    ps_child *child[2] = {spawn_named(supervisor, pausing(), 1),
                          spawn_named(supervisor, restarting(pausing(), PS_RESTART_ALWAYS, 0, 0), 2)};
    int ready[2], release[2];
    CHECK(pipe(ready) == 0 && pipe(release) == 0);
    pid_t pids[2] = {pid_of(child[0]), pid_of(child[1])};
    pid_t tracer = fork();
    CHECK(tracer >= 0);
    if (tracer == 0) {
        char byte = 1;
        for (int i = 0; i < 2; i++)
            byte &= ptrace(PTRACE_SEIZE, pids[i], 0, 0) == 0;
        CHECK(write(ready[1], &byte, 1) == 1);
        close(release[1]);
        CHECK(read(release[0], &byte, 1) >= 0);
        _exit(0); /* the end of the tracer lets go of the zombies */
    }
    char traced = 0;
    CHECK(read(ready[0], &traced, 1) == 1);
    if (!traced) {
        kill(tracer, SIGKILL);
        wait_for(tracer);
        SKIP("tracing is not permitted here");
    }
    int64_t start = now_ns();
    ps_supervisor_free(supervisor);
    CHECK(elapsed_ms(start) < 8000 * slowness());
    CHECK_STATUS(ps_reap(child[0], 50, NULL, NULL), PS_ERR_TIMEOUT);
    CHECK_STATUS(ps_reap(child[1], 50, NULL, NULL), PS_ERR_TIMEOUT);
    CHECK(write(release[1], "x", 1) == 1);
    wait_for(tracer);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(reap(child[i]).cause, PS_CAUSE_SHUTDOWN);
        CHECK_INT(state_of(child[i]), PS_STATE_EXITED);
        ps_child_free(child[i]);
    }
    CHECK(has_no_child());
    return 0;
}
