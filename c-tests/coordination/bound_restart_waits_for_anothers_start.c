/* A restart that finds another start of its key in flight waits, without a slot: those in line go on, and it is started when that start is over.
   While it waits it is stopped, shut down and freed like any other that waits. */
/* covers: C13-5, RP-4 */
#include "harness.h"

#include "supervising.h"

#include "bound.h"

static ps_budget *budget;
static uint64_t others;

/* A child that has died while somebody else's start of its key is in flight. */
static ps_child *waiting(ps_supervisor *supervisor)
{
    gate gate = new_gate();
    ps_command *command = bound(helper_command("echo_fd", "0", NULL), budget, "k");
    ps_error *error = NULL;
    set_stdio(command, 0, PS_STDIO_FD, gate.in);
    CHECK_OK(ps_command_restart(command, PS_RESTART_ALWAYS, 0, 0, &error), error);
    CHECK_OK(ps_command_restart_early_exit(command, 0, &error), error);
    ps_child *child = spawn_named(supervisor, command, 1);
    expect(supervisor, PS_EVENT_STARTED, 1);
    others = permit_of(budget, "k");
    open_gate(&gate);
    expect(supervisor, PS_EVENT_EXITED, 1);
    CHECK_INT(expect(supervisor, PS_EVENT_RESTARTING, 1).reason, PS_REASON_ENDED);
    ps_event event = expect(supervisor, PS_EVENT_RESTARTING, 1);
    CHECK(event.reason == PS_REASON_IN_PROGRESS && event.status == PS_ERR_IN_PROGRESS && event.delay_ms == 0 && event.run == 1);
    CHECK_INT(state_of(child), PS_STATE_PENDING);
    CHECK_COUNTS(supervisor, 1, 0, 0);
    expect_nothing(supervisor);
    return child;
}

int main(void)
{
    budget = new_budget(99, 600000, -1);
    ps_supervisor *supervisor = new_supervisor(1);
    ps_child *child = waiting(supervisor);
    /* Its slot is another's meanwhile. */
    ps_child *other = spawn_named(supervisor, exiting("0"), 2);
    expect(supervisor, PS_EVENT_STARTED, 2);
    expect(supervisor, PS_EVENT_EXITED, 2);
    ps_child_free(other);
    CHECK_STATUS(ps_budget_finish(budget, others, 0, NULL), PS_OK);
    CHECK(readable(fd_of(supervisor), PATIENCE_MS));
    expect(supervisor, PS_EVENT_STARTED, 1);
    end_child(child);
    ps_supervisor_free(supervisor);

    /* Stopped. */
    supervisor = new_supervisor(1);
    child = waiting(supervisor);
    cancel(child);
    CHECK_INT(expect(supervisor, PS_EVENT_CANCELLED, 1).status, PS_ERR_CANCELLED);
    CHECK_COUNTS(supervisor, 0, 0, 0);
    ps_child_free(child);
    CHECK_STATUS(ps_budget_finish(budget, others, 0, NULL), PS_OK);
    expect_nothing(supervisor);
    ps_supervisor_free(supervisor);

    /* Shut down. */
    supervisor = new_supervisor(1);
    child = waiting(supervisor);
    shut_down(supervisor, -1);
    CHECK_INT(expect(supervisor, PS_EVENT_CANCELLED, 1).status, PS_ERR_SHUTDOWN);
    expect(supervisor, PS_EVENT_SHUTDOWN_DONE, 0);
    ps_child_free(child);
    CHECK_STATUS(ps_budget_finish(budget, others, 0, NULL), PS_OK);
    ps_supervisor_free(supervisor);

    /* Freed. */
    supervisor = new_supervisor(1);
    child = waiting(supervisor);
    ps_supervisor_free(supervisor);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
    CHECK_STATUS(ps_budget_finish(budget, others, 0, NULL), PS_OK);
    CHECK_FREE(budget, "k");
    ps_budget_free(budget);
    return 0;
}
