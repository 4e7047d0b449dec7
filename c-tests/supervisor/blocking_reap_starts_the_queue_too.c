/* The end that a blocking call finds frees the slot as well: nobody takes an event here before the end. */
/* covers: SC-5 */
#include "harness.h"
#include "supervising.h"

enum { JOBS = 12 };

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(2);
    ps_child *jobs[JOBS];
    for (int i = 0; i < JOBS; i++)
        jobs[i] = spawn_named(supervisor, exiting("4"), (uint64_t)i + 1);
    CHECK_INT(reap(jobs[JOBS - 1]).code, 4); /* the last in line */
    for (int i = 0; i < JOBS; i++)
        CHECK_INT(reap(jobs[i]).code, 4);
    static event_log log;
    take_until(supervisor, &log, PS_EVENT_EXITED, 0, JOBS);
    for (uint64_t i = 1; i <= JOBS; i++) {
        CHECK(place_of(&log, PS_EVENT_STARTED, i) < place_of(&log, PS_EVENT_EXITED, i));
        if (i > 3)
            CHECK(place_of(&log, PS_EVENT_STARTED, i - 1) < place_of(&log, PS_EVENT_STARTED, i));
    }
    CHECK_INT(log.count, 2 * JOBS);
    for (int i = 0; i < JOBS; i++)
        ps_child_free(jobs[i]);
    ps_supervisor_free(supervisor);
    return 0;
}
