/* The handle freed, the child still comes back: it is its supervisor's. Freed while it runs, and while it waits for its restart. */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    static event_log log;
    ps_supervisor *supervisor = new_supervisor(0);
    ps_child *child = spawn_named(supervisor, giving_up_after(restarting(exiting("1"), PS_RESTART_ON_FAILURE, 0, 0), 4), 1);
    ps_child_free(child);
    take_until(supervisor, &log, PS_EVENT_GAVE_UP, 1, 1);
    CHECK(logged(&log, PS_EVENT_STARTED, 1) == 4 && log.events[0].child == child);

    child = spawn_named(supervisor, giving_up_after(restarting(exiting("1"), PS_RESTART_ON_FAILURE, 20, 20), 3), 2);
    take_until(supervisor, &log, PS_EVENT_RESTARTING, 2, 1);
    ps_child_free(child);
    take_until(supervisor, &log, PS_EVENT_GAVE_UP, 2, 1);
    CHECK_INT(logged(&log, PS_EVENT_EXITED, 2), 3);
    CHECK_COUNTS(supervisor, 0, 0, 0);
    ps_supervisor_free(supervisor);
    return 0;
}
