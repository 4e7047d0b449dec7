/* The manager owns the child, the handle is only a handle: freed while the child waits, it still runs and gives its events. */
/* covers: SC-1 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(1);
    gate gate = new_gate();
    ps_child *first = spawn_named(supervisor, at_gate(&gate), 1);
    ps_child *second = spawn_named(supervisor, exiting("7"), 2);
    ps_child_free(second);
    CHECK_COUNTS(supervisor, 1, 1, 0);
    open_gate(&gate);
    expect(supervisor, PS_EVENT_STARTED, 1);
    expect(supervisor, PS_EVENT_EXITED, 1);
    ps_event started = expect(supervisor, PS_EVENT_STARTED, 2);
    CHECK(started.child == second && ps_child_state(started.child, &(int32_t){0}, NULL) == PS_ERR_BAD_HANDLE);
    CHECK_INT(expect(supervisor, PS_EVENT_EXITED, 2).exit.code, 7);
    expect_nothing(supervisor);
    CHECK(has_no_child());
    ps_child_free(first);
    ps_supervisor_free(supervisor);
    return 0;
}
