/* Three crashes in the window, then it is given up, with the reason and the time after which another try makes sense; a restart policy
   without a limit has one so. An operator's reset lets it be started at once. */
/* covers: C13-5, RP-2, RP-13, CO-pm2-839, CO-supervisor-1285, CO-systemd-10529 */
#include "harness.h"

#include "supervising.h"

#include "bound.h"

static void check_crash_loop(ps_supervisor *supervisor, ps_budget *budget, ps_command *command)
{
    ps_error *error = NULL;
    bound(restless(command), budget, "k");
    CHECK_OK(ps_command_restart_limit(command, 0, 60000, &error), error);
    for (int time = 0; time < 2; time++) {
        ps_child *child = NULL;
        CHECK_OK(ps_spawn(supervisor, command, &child, &error), error);
        for (uint32_t run = 1; run <= 3; run++) {
            CHECK_INT(expect(supervisor, PS_EVENT_STARTED, 0).run, run);
            CHECK_INT(expect(supervisor, PS_EVENT_EXITED, 0).run, run);
            ps_event again = expect(supervisor, PS_EVENT_RESTARTING, 0);
            CHECK(again.reason == PS_REASON_FAILED && again.retry_after_ms == -1 && again.status == PS_OK);
        }
        ps_event over = expect(supervisor, PS_EVENT_GAVE_UP, 0);
        CHECK(over.reason == PS_REASON_BUDGET && over.storm == 1 && over.run == 3 && over.status == PS_ERR_BUDGET_EXHAUSTED);
        CHECK(over.retry_after_ms > 0 && over.retry_after_ms <= 60000);
        ps_exit last = reap(child);
        CHECK(last.code == over.exit.code && last.signal == over.exit.signal && (last.code == 1 || last.signal == SIGKILL));
        ps_child_free(child);
        ps_error_free(refused(supervisor, command, PS_ERR_BUDGET_EXHAUSTED));
        CHECK_OK(ps_budget_reset(budget, "k", &error), error);
    }
    ps_command_free(command);
}

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(1);
    ps_budget *budget = new_budget(0, 60000, -1);
    check_crash_loop(supervisor, budget, exiting("1"));
    check_crash_loop(supervisor, budget, helper_command("die_by", "9", NULL));
    /* The command's own limit, where it is reached first. */
    ps_command *command = bound(restless(exiting("1")), budget, "k");
    ps_child *child = spawn_in(supervisor, giving_up_after(command, 2));
    CHECK_INT(await_event(supervisor, PS_EVENT_GAVE_UP).reason, PS_REASON_FAILURES);
    ps_child_free(child);
    CHECK_FREE(budget, "k");
    ps_budget_free(budget);
    ps_supervisor_free(supervisor);
    return 0;
}
