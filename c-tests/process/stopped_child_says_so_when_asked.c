/* ps_child_stopped looks at once, without a supervisor and without being asked for beforehand: by which signal a child is stopped, or 0. A child
   that has ended is not stopped, one that waits for its start has no answer, and a stop plan ends a stopped one as any. */
#include "halting.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = spawn_once(NULL, pausing());
    CHECK_INT(stopped_by(child), 0);
    static const int by[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
    for (unsigned i = 0; i < sizeof by / sizeof *by; i++) {
        stop_it(child, by[i]);
        CHECK_INT(stopped_by(child), by[i]);
        CHECK_INT(stopped_by(child), by[i]);
        CHECK_INT(state_of(child), PS_STATE_RUNNING);
        CHECK_ERROR(ps_reap(child, 0, NULL, &error), PS_ERR_TIMEOUT, &error);
        ps_error_free(error);
        error = NULL;
        let_it_go(child);
        CHECK_INT(stopped_by(child), 0);
    }
    stop_it(child, SIGSTOP);
    ps_exit end = terminate(child, -1);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGTERM && end.cause == PS_CAUSE_STOP);
    CHECK_INT(stopped_by(child), 0);
    ps_child_free(child);

    ps_supervisor *supervisor = new_supervisor(1);
    ps_child *running = spawn_once(supervisor, pausing()), *waits = spawn_once(supervisor, pausing());
    int32_t untouched = 77;
    CHECK_ERROR(ps_child_stopped(waits, &untouched, &error), PS_ERR_STATE, &error);
    CHECK_INT(untouched, 77);
    ps_error_free(error);
    CHECK_STATUS(ps_child_stopped(running, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_child_free(running);
    ps_child_free(waits);
    ps_supervisor_free(supervisor);
    return 0;
}
