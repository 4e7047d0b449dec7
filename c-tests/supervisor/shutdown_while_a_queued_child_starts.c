/* A child whose exec is under way at the moment of the shutdown: nothing of it is left, SHUTDOWN_DONE comes last, and what its calls
   answer is a shutdown. */
/* covers: SC-8 */
/* as-root */
#include "harness.h"
#include "supervising.h"

static ps_supervisor *supervisor;
static event_log log_;

static void *drive(void *unused)
{
    take_until(supervisor, &log_, PS_EVENT_SHUTDOWN_DONE, 0, 1);
    return unused;
}

int main(void)
{
    held_exec held;
    pthread_t driver;
    held_exec_begin(&held, "pause_forever");
    supervisor = new_supervisor(1);
    ps_child *first = spawn_named(supervisor, pausing(), 1);
    ps_child *child = spawn_named(supervisor, command_for(held.path, NULL), 2);
    kill(pid_of(first), SIGKILL);
    thread_start(&driver, drive, NULL);
    held_exec_await(&held);
    shut_down(supervisor, -1);
    shut_down(supervisor, -1);
    held_exec_let_go(&held);
    pthread_join(driver, NULL);
    ps_status status = ps_reap(child, PATIENCE_MS, NULL, NULL);
    CHECK(status == PS_ERR_SHUTDOWN || status == PS_OK);
    CHECK(has_no_child());
    CHECK_COUNTS(supervisor, 0, 0, 0);
    expect_nothing(supervisor);
    CHECK_INT(log_.events[log_.count - 1].kind, PS_EVENT_SHUTDOWN_DONE);
    CHECK_INT(logged(&log_, PS_EVENT_EXITED, 1), 1);
    CHECK_INT(logged(&log_, PS_EVENT_CANCELLED, 2) + logged(&log_, PS_EVENT_EXITED, 2), 1);
    held_exec_end(&held);
    ps_child_free(first);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
