/* terminate_begin only starts the plan; next_event drives it through its steps to the EXITED event. */
/* covers: EV-11 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_deaf(supervisor);
    take_event(supervisor, PS_EVENT_STARTED);

    ps_error *error = NULL;
    int64_t start = now_ns();
    CHECK_OK(ps_terminate_begin(child, 3600000, &error), error);
    CHECK(elapsed_ms(start) < PATIENCE_MS);
    CHECK(state_of(child) == PS_STATE_STOPPING);
    CHECK_OK(ps_terminate_begin(child, 100, &error), error); /* shorter, or this test would take an hour */

    ps_event event = take_event(supervisor, PS_EVENT_EXITED);
    CHECK(event.child == child);
    CHECK(event.exit.kind == PS_EXIT_SIGNALED && event.exit.signal == SIGKILL && event.exit.cause == PS_CAUSE_STOP);
    CHECK(state_of(child) == PS_STATE_EXITED);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
