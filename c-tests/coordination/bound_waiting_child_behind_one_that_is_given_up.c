/* Two children wait for another supervisor's start with their key. That fails with the last attempt: who does not wait for the next window is given
   up, and who does is told that it rests, and goes on when the window reopens, whoever of them stood before the other. The storm is told once. */
/* covers: C13-5 */
/* variants: few */
#include "harness.h"

#include "supervising.h"

#include "bound.h"

enum { GIVEN_UP = 1, WAITS, BEFORE };

static void try_in_order(bool waiting_first)
{
    ps_supervisor *one = new_supervisor(0), *two = new_supervisor(1);
    ps_budget *budget = new_budget(1, 1500, -1);
    gate slow = new_gate(), first = new_gate();
    ps_child *starting = spawn_in(one, bound(gated(&slow), budget, "k"));
    expect(one, PS_EVENT_STARTED, 0);

    ps_child *before = spawn_named(two, at_gate(&first), BEFORE), *waits = NULL, *given_up = NULL;
    for (int turn = 0; turn < 2; turn++) {
        if ((turn == 0) == waiting_first)
            waits = spawn_named(two, going_on(bound(exiting("0"), budget, "k")), WAITS);
        else
            given_up = spawn_named(two, bound(exiting("0"), budget, "k"), GIVEN_UP);
    }
    expect(two, PS_EVENT_STARTED, BEFORE);
    open_gate(&first);
    expect(two, PS_EVENT_EXITED, BEFORE);
    expect_nothing(two);
    CHECK_COUNTS(two, 2, 0, 0);

    end_child(starting);
    int storms = 0, started = 0, gave_up = 0, rests = 0;
    while (!started) {
        ps_event event = {.size = sizeof event};
        ps_error *error = NULL;
        CHECK_OK(ps_supervisor_next_event(two, PATIENCE_MS, &event, &error), error);
        storms += event.storm;
        if (event.kind == PS_EVENT_GAVE_UP) {
            CHECK(event.user_data == GIVEN_UP && event.reason == PS_REASON_BUDGET && event.retry_after_ms > 0);
            gave_up++;
        } else if (event.kind == PS_EVENT_RESTARTING) {
            CHECK(event.user_data == WAITS && event.reason == PS_REASON_BUDGET && event.delay_ms > 0);
            rests++;
        } else {
            CHECK_INT(event.kind, PS_EVENT_STARTED);
            CHECK_INT(event.user_data, WAITS);
            started++;
        }
    }
    CHECK(storms == 1 && gave_up == 1 && rests == 1);
    expect(two, PS_EVENT_EXITED, WAITS);
    ps_child_free(before);
    ps_child_free(waits);
    ps_child_free(given_up);
    ps_supervisor_free(one);
    ps_supervisor_free(two);
    ps_budget_free(budget);
    open_gate(&slow);
}

int main(void)
{
    try_in_order(false);
    try_in_order(true);
    return 0;
}
