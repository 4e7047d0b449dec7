/* Two supervisors, one budget: a child in the line of one waits for the start of the other's, and is told by the budget when that is over,
   without polling. Another key does not wait. */
/* covers: C13-5, RP-4, RP-10 */
#include "harness.h"

#include "supervising.h"

#include "bound.h"

int main(void)
{
    ps_supervisor *one = new_supervisor(0), *two = new_supervisor(1);
    ps_budget *budget = new_budget(9, 600000, -1);
    gate slow = new_gate(), first = new_gate();
    ps_child *starting = spawn_in(one, bound(gated(&slow), budget, "k"));
    expect(one, PS_EVENT_STARTED, 0);

    ps_child *before = spawn_named(two, at_gate(&first), 1);
    ps_child *waiting = spawn_named(two, bound(exiting("0"), budget, "k"), 2);
    ps_child *other = spawn_named(two, bound(exiting("0"), budget, "l"), 3);
    expect(two, PS_EVENT_STARTED, 1);
    open_gate(&first);
    event_log log = {0};
    take_until(two, &log, PS_EVENT_EXITED, 3, 1);
    CHECK_INT(logged(&log, PS_EVENT_STARTED, 2), 0);
    CHECK_COUNTS(two, 1, 0, 0);
    expect_nothing(two);
    CHECK(!readable(fd_of(two), 0));

    let_one(&slow);
    expect(one, PS_EVENT_READY, 0);
    CHECK(readable(fd_of(two), PATIENCE_MS));
    expect(two, PS_EVENT_STARTED, 2);
    expect(two, PS_EVENT_EXITED, 2);
    end_child(starting);
    ps_child_free(before);
    ps_child_free(waiting);
    ps_child_free(other);
    ps_supervisor_free(one);
    ps_supervisor_free(two);
    ps_budget_free(budget);
    open_gate(&slow);
    return 0;
}
