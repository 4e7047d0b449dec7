/* Ready and dead at once is a failure, also where nobody looked for longer than health takes; who stays up for that long has his attempts back.
   The health of restart_limit wins over the budget's, and who is stopped before it leaves the attempts as they are. */
/* covers: C13-5, RP-6, CO-supervisor-1285, CO-pm2-839 */
/* variants: few */
#include "harness.h"

#include "supervising.h"

#include "bound.h"

static ps_child *run_of(ps_supervisor *supervisor, ps_command *command)
{
    ps_child *child = spawn_in(supervisor, command);
    expect(supervisor, PS_EVENT_STARTED, 0);
    return child;
}

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    ps_budget *budget = new_budget(9, 600000, 50);
    ps_error *error = NULL;

    /* Also one that exits with 0. The host stands still meanwhile. */
    for (uint32_t run = 1; run <= 3; run++) {
        ps_child *child = spawn_in(supervisor, bound(exiting("0"), budget, "dead"));
        int32_t pidfd = -1;
        CHECK_OK(ps_child_pidfd(child, &pidfd, &error), error);
        CHECK(readable(pidfd, PATIENCE_MS));
        close(pidfd);
        usleep(80000);
        expect(supervisor, PS_EVENT_STARTED, 0);
        expect(supervisor, PS_EVENT_EXITED, 0);
        CHECK_INT(used(budget, "dead"), run);
        CHECK(!look_at(budget, "dead").in_flight);
        ps_child_free(child);
    }

    ps_child *child = run_of(supervisor, bound(helper_command("pause_forever", NULL), budget, "up"));
    CHECK_INT(used(budget, "up"), 1);
    await_used(supervisor, budget, "up", 0);
    end_child(child);

    /* Ready, and dead before it has proved itself. */
    CHECK_OK(ps_budget_set_healthy(budget, 600000, &error), error);
    child = run_of(supervisor, bound(ready_command(PS_READY_FD, "3", -1, "newline:3", "exit:1", NULL), budget, "ready"));
    await_event(supervisor, PS_EVENT_EXITED);
    CHECK_INT(used(budget, "ready"), 1);
    ps_child_free(child);
    CHECK_OK(ps_budget_set_healthy(budget, 50, &error), error);

    ps_command *command = bound(helper_command("pause_forever", NULL), budget, "own");
    CHECK_OK(ps_command_restart_limit(command, 5, 600000, &error), error);
    child = run_of(supervisor, command);
    usleep(100000);
    expect_nothing(supervisor);
    CHECK_INT(used(budget, "own"), 1);
    end_child(child);
    CHECK_INT(used(budget, "own"), 1);
    CHECK_FREE(budget, "own");
    ps_budget_free(budget);

    /* Without a word it is a second. */
    budget = new_budget(9, 600000, -1);
    int64_t begun = now_ms();
    child = run_of(supervisor, bound(helper_command("pause_forever", NULL), budget, "second"));
    await_used(supervisor, budget, "second", 0);
    CHECK(now_ms() - begun >= 1000);
    end_child(child);
    ps_budget_free(budget);

    /* Health of 0: ready is all there is to it. */
    budget = new_budget(9, 600000, 0);
    child = run_of(supervisor, bound(exiting("1"), budget, "job"));
    CHECK_INT(used(budget, "job"), 0);
    reap(child);
    ps_child_free(child);
    ps_budget_free(budget);
    ps_supervisor_free(supervisor);
    return 0;
}
