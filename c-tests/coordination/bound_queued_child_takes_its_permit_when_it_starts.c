/* A child in line takes its permit when its turn comes. Where the attempts are used it is given up then, and says so; those behind it go on. */
/* covers: C13-5, RP-3 */
#include "harness.h"

#include "supervising.h"

#include "bound.h"

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(1);
    ps_budget *budget = new_budget(1, 60000, -1);
    gate gate = new_gate();
    ps_error *error = NULL;
    ps_child *first = spawn_named(supervisor, at_gate(&gate), 1);
    ps_child *second = spawn_named(supervisor, bound(exiting("3"), budget, "k"), 2);
    ps_child *third = spawn_named(supervisor, bound(exiting("0"), budget, "k"), 3);
    ps_child *fourth = spawn_named(supervisor, exiting("0"), 4);
    expect(supervisor, PS_EVENT_STARTED, 1);
    CHECK_COUNTS(supervisor, 3, 1, 0);
    CHECK_INT(used(budget, "k"), 0);
    open_gate(&gate);
    expect(supervisor, PS_EVENT_EXITED, 1);
    expect(supervisor, PS_EVENT_STARTED, 2);
    CHECK_INT(used(budget, "k"), 1);

    /* The slot of the second goes past the third. */
    event_log log = {0};
    take_until(supervisor, &log, PS_EVENT_EXITED, 4, 1);
    take_until(supervisor, &log, PS_EVENT_GAVE_UP, 3, 1);
    CHECK_INT(logged(&log, PS_EVENT_STARTED, 3), 0);
    for (int i = 0; i < log.count; i++) {
        const ps_event *event = &log.events[i];
        if (event->kind != PS_EVENT_GAVE_UP)
            continue;
        CHECK_INT(event->reason, PS_REASON_BUDGET);
        CHECK_INT(event->status, PS_ERR_BUDGET_EXHAUSTED);
        CHECK(event->retry_after_ms > 0 && event->retry_after_ms <= 60000 && event->storm == 1 && event->run == 0);
    }
    CHECK_ERROR(ps_reap(third, PATIENCE_MS, NULL, &error), PS_ERR_BUDGET_EXHAUSTED, &error);
    CHECK(ps_error_retry_after_ms(error) > 0);
    ps_error_free(error);
    CHECK_COUNTS(supervisor, 0, 0, 0);
    ps_child *all[] = {first, second, third, fourth};
    for (int i = 0; i < 4; i++)
        ps_child_free(all[i]);
    ps_budget_free(budget);
    ps_supervisor_free(supervisor);
    return 0;
}
