/* Who stands in line is started in the order of arrival, also when somebody in the middle leaves. */
/* covers: SC-3 */
#include "harness.h"
#include "supervising.h"

enum { JOBS = 30 };

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(1);
    gate gate = new_gate();
    ps_child *jobs[JOBS + 1];
    for (int i = 1; i <= JOBS; i++)
        jobs[i] = spawn_named(supervisor, i == 1 ? at_gate(&gate) : exiting("0"), (uint64_t)i);
    cancel(jobs[10]);
    cancel(jobs[JOBS]);
    static event_log log;
    open_gate(&gate);
    take_until(supervisor, &log, PS_EVENT_EXITED, 0, JOBS - 2);
    int last = -1;
    for (int i = 1; i <= JOBS; i++)
        if (i != 10 && i != JOBS) {
            int place = place_of(&log, PS_EVENT_STARTED, (uint64_t)i);
            CHECK(place > last);
            last = place;
        }
    CHECK_INT(logged(&log, PS_EVENT_STARTED, 10) + logged(&log, PS_EVENT_STARTED, JOBS), 0);
    for (int i = 1; i <= JOBS; i++)
        ps_child_free(jobs[i]);
    ps_supervisor_free(supervisor);
    return 0;
}
