/* Faults in starts under a spawn budget: one at once, one from the line, and the restarts of both, until they are given up. Whatever fails, each
   permit comes back: nothing of the key is in flight afterwards, and no more was started than there were attempts. */
/* share: 3 */
/* variants: only tier-fork: how a child is made in between is swept by spawn_plain and spawn_reap */
#include "scenario.h"

#include "supervising.h"

#include "bound.h"

enum { ATTEMPTS = 3 };

/* Takes events until both children are over; answers how many were started. */
static int watch(ps_supervisor *supervisor, int children)
{
    ps_error *error = NULL;
    int started = 0;
    for (int turn = 0; turn < 60 && children > 0; turn++) {
        ps_event event = {.size = sizeof event};
        ps_status status = ps_supervisor_next_event(supervisor, 1000, &event, &error);
        if (!worked(status, &error)) {
            if (status == PS_PENDING)
                continue;
            break;
        }
        started += event.kind == PS_EVENT_STARTED;
        children -= event.kind == PS_EVENT_GAVE_UP;
        CHECK(event.kind != PS_EVENT_GAVE_UP || event.reason == PS_REASON_BUDGET);
        CHECK(event.kind != PS_EVENT_GAVE_UP || event.retry_after_ms > 0);
    }
    return started;
}

static void crash_loop(ps_budget *budget, ps_command *command)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_child *at_once = NULL, *in_line = NULL;
    int started = 0;
    if (worked(ps_supervisor_new(&supervisor, &error), &error)) {
        if (worked(ps_supervisor_set_max_running(supervisor, 1, &error), &error) &&
            worked(ps_spawn(supervisor, command, &at_once, &error), &error)) {
            bool both = worked(ps_spawn(supervisor, command, &in_line, &error), &error);
            started = watch(supervisor, both ? 2 : 1);
        }
        ps_supervisor_free(supervisor);
        ps_child_free(at_once);
        ps_child_free(in_line);
    }
    ps_budget_state state = look_at(budget, "k");
    CHECK(!state.in_flight);
    CHECK((int)state.attempts_used >= started && state.attempts_used <= ATTEMPTS);
}

int main(int argc, char **argv)
{
    ps_budget *budget = new_budget(ATTEMPTS, 3600000, 3600000);
    ps_command *command = bound(restless(exiting("1")), budget, "k");
    scenario_begin(argc, argv);
    crash_loop(budget, command);
    scenario_end();
    ps_command_free(command);
    ps_budget_free(budget);
    return 0;
}
