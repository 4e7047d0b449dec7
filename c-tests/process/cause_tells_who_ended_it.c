/* cause: SELF, OWNER (our own signal), STOP, SHUTDOWN, KILL_ALL; DEADLINE has a test of its own. A signal of a stranger is SELF. */
/* covers: D-6 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = spawn_once(NULL, pausing());
    kill(pid_of(child), SIGUSR1);
    ps_exit end = reap(child);
    CHECK(end.signal == SIGUSR1 && end.cause == PS_CAUSE_SELF);
    ps_child_free(child);

    child = spawn_once(NULL, pausing());
    CHECK_OK(ps_signal(child, SIGUSR1, &error), error);
    end = reap(child);
    CHECK(end.signal == SIGUSR1 && end.cause == PS_CAUSE_OWNER);
    ps_child_free(child);

    child = spawn_once(NULL, pausing());
    CHECK_STATUS(ps_signal_all(SIGUSR2), PS_OK);
    end = reap(child);
    CHECK(end.signal == SIGUSR2 && end.cause == PS_CAUSE_OWNER);
    ps_child_free(child);

    /* signalled by us, but that was not what it died of */
    child = spawn_once(NULL, pausing());
    CHECK_OK(ps_signal(child, SIGCONT, &error), error);
    kill(pid_of(child), SIGHUP);
    end = reap(child);
    CHECK(end.signal == SIGHUP && end.cause == PS_CAUSE_SELF);
    ps_child_free(child);

    child = spawn_once(NULL, pausing());
    CHECK_OK(ps_terminate_begin(child, -1, &error), error);
    end = reap(child);
    CHECK(end.signal == SIGTERM && end.cause == PS_CAUSE_STOP);
    ps_child_free(child);

    ps_supervisor *supervisor = supervisor_new();
    child = spawn_once(supervisor, pausing());
    ps_supervisor_free(supervisor);
    end = reap(child);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.cause == PS_CAUSE_SHUTDOWN);
    ps_child_free(child);

    child = spawn_once(NULL, pausing());
    CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
    end = reap(child);
    CHECK(end.signal == SIGKILL && end.cause == PS_CAUSE_KILL_ALL);
    ps_child_free(child);
    return 0;
}
