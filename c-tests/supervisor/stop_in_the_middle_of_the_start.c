/* A child whose turn has come and whose exec takes its time is not in line any more: ps_terminate_begin does not wait for the exec,
   and stops it as soon as it is there; ps_terminate waits for both. */
/* covers: SC-7 */
/* as-root */
#include "harness.h"
#include "supervising.h"

static ps_supervisor *supervisor;
static ps_child *child;

static void *drive(void *unused)
{
    CHECK_INT(expect(supervisor, PS_EVENT_EXITED, 1).exit.signal, SIGKILL);
    return unused;
}

static void *terminate_it(void *unused)
{
    ps_exit end = terminate(child, -1);
    CHECK(end.signal == SIGTERM && end.cause == PS_CAUSE_STOP);
    return unused;
}

int main(void)
{
    held_exec held;
    pthread_t driver, terminator;
    held_exec_begin(&held, "pause_forever");
    supervisor = new_supervisor(1);
    ps_child *first = spawn_named(supervisor, pausing(), 1);
    child = spawn_named(supervisor, command_for(held.path, NULL), 2);
    expect(supervisor, PS_EVENT_STARTED, 1);
    kill(pid_of(first), SIGKILL);
    thread_start(&driver, drive, NULL);
    held_exec_await(&held);
    CHECK_OK(ps_terminate_begin(child, -1, NULL), NULL);
    thread_start(&terminator, terminate_it, NULL);
    CHECK_STATUS(ps_reap(child, 50, NULL, NULL), PS_ERR_TIMEOUT);
    CHECK_INT(state_of(child), PS_STATE_PENDING);
    CHECK_COUNTS(supervisor, 0, 1, 0);
    held_exec_let_go(&held);
    pthread_join(driver, NULL);
    pthread_join(terminator, NULL);
    expect(supervisor, PS_EVENT_STARTED, 2);
    ps_event ended = expect(supervisor, PS_EVENT_EXITED, 2);
    CHECK(ended.exit.signal == SIGTERM && ended.exit.cause == PS_CAUSE_STOP);
    expect_nothing(supervisor);
    CHECK_COUNTS(supervisor, 0, 0, 0);
    held_exec_end(&held);
    ps_child_free(first);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
