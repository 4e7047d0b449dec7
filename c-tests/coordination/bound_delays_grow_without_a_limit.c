/* A limit and the delays are two matters: without a limit of failures, and with a budget, the waits between two runs grow all the same. */
/* covers: C13-5, CO-actor-ts-1255 */
#include "harness.h"

#include "supervising.h"

#include "bound.h"

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(1);
    ps_budget *budget = new_budget(1000, 600000, -1);
    ps_command *command = bound(exiting("1"), budget, "k");
    ps_error *error = NULL;
    CHECK_OK(ps_command_restart(command, PS_RESTART_ON_FAILURE, 4, 100000, &error), error);
    CHECK_OK(ps_command_restart_limit(command, 0, 600000, &error), error);
    ps_child *child = spawn_in(supervisor, command);
    int64_t delay = 0;
    for (int run = 1; run <= 6; run++) {
        ps_event event = await_event(supervisor, PS_EVENT_RESTARTING);
        CHECK_INT(event.reason, PS_REASON_FAILED);
        /* Spread by a quarter, doubled each time: 4, 8, 16 ... */
        CHECK(event.delay_ms >= (4 << (run - 1)) * 3 / 4 && event.delay_ms >= delay);
        delay = event.delay_ms;
    }
    CHECK(delay >= 96);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    ps_budget_free(budget);
    return 0;
}
