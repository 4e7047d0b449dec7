/* If asked, a child whose attempts are used rests until there are new ones: when the window reopens, or the operator resets the key. Also where
   only a blocking call drives it, and where its budget was freed. */
/* covers: C13-5, CO-systemd-10529 */
/* variants: few */
#include "harness.h"

#include "supervising.h"

#include "bound.h"

static ps_event await_budget(ps_supervisor *supervisor)
{
    for (;;) {
        ps_event event = await_event(supervisor, PS_EVENT_RESTARTING);
        if (event.reason == PS_REASON_BUDGET)
            return event;
        CHECK_INT(event.reason, PS_REASON_FAILED);
    }
}

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(1);
    ps_budget *budget = new_budget(2, 300, -1);
    ps_command *command = going_on(bound(restless(exiting("1")), budget, "k"));
    ps_error *error = NULL;
    CHECK_OK(ps_command_restart_limit(command, 0, 60000, &error), error);
    ps_child *child = spawn_in(supervisor, command);
    for (uint32_t run = 2; run <= 6; run += 2) {
        ps_event event = await_budget(supervisor);
        CHECK(event.delay_ms > 0 && event.delay_ms <= 300 && event.retry_after_ms == event.delay_ms && event.exit.code == 1);
        CHECK(event.run >= 2 && event.status == PS_ERR_BUDGET_EXHAUSTED);
        CHECK_COUNTS(supervisor, 1, 0, 0);
        CHECK_INT(expect(supervisor, PS_EVENT_STARTED, 0).run, event.run + 1);
    }
    cancel(child);
    ps_exit end = reap(child);
    CHECK(end.code == 1 || end.cause == PS_CAUSE_STOP);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    ps_budget_free(budget);

    /* Reset: at once, through the descriptor alone. */
    supervisor = new_supervisor(1);
    budget = new_budget(1, 3600000, -1);
    child = spawn_in(supervisor, going_on(bound(restless(exiting("1")), budget, "k")));
    await_budget(supervisor);
    expect_nothing(supervisor);
    CHECK(!readable(fd_of(supervisor), 0));
    CHECK_OK(ps_budget_reset(budget, "k", &error), error);
    CHECK(readable(fd_of(supervisor), PATIENCE_MS));
    CHECK_INT(expect(supervisor, PS_EVENT_STARTED, 0).run, 2);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    ps_budget_free(budget);

    /* A blocking reap, which alone drives it; its own limit ends it. The budget was freed. */
    supervisor = new_supervisor(1);
    budget = new_budget(1, 100, -1);
    child = spawn_in(supervisor, giving_up_after(going_on(bound(restless(exiting("1")), budget, "k")), 3));
    ps_budget_free(budget);
    CHECK_INT(reap(child).code, 1);
    CHECK_INT(await_event(supervisor, PS_EVENT_GAVE_UP).run, 3);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
