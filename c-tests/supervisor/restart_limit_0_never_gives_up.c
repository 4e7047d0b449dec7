/* restart_limit 0: as often as it takes. */
#include "harness.h"
#include "supervising.h"

enum { RUNS = 30 };

int main(void)
{
    static event_log log;
    ps_supervisor *supervisor = new_supervisor(0);
    ps_child *child = spawn_named(supervisor, giving_up_after(restarting(exiting("1"), PS_RESTART_ON_FAILURE, 0, 1), 0), 1);
    take_until(supervisor, &log, PS_EVENT_RESTARTING, 1, RUNS);
    CHECK_INT(logged(&log, PS_EVENT_GAVE_UP, 0), 0);
    ps_supervisor_free(supervisor);
    ps_child_free(child);
    return 0;
}
