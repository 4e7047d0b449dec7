/* restart_limit 0: as often as it takes. That there is no limit does not mean that there is no back-off: the delays grow all the same. */
/* covers: CO-actor-ts-1255 */
#include "harness.h"
#include "supervising.h"

enum { RUNS = 20, MIN = 4, MAX = 16 };

int main(void)
{
    static event_log log;
    int64_t delays[RUNS];
    int count = 0;
    ps_supervisor *supervisor = new_supervisor(0);
    ps_child *child = spawn_named(supervisor, giving_up_after(restarting(exiting("1"), PS_RESTART_ON_FAILURE, MIN, MAX), 0), 1);
    take_until(supervisor, &log, PS_EVENT_RESTARTING, 1, RUNS);
    CHECK_INT(logged(&log, PS_EVENT_GAVE_UP, 0), 0);
    for (int i = 0; i < log.count && count < RUNS; i++)
        if (log.events[i].kind == PS_EVENT_RESTARTING)
            delays[count++] = log.events[i].delay_ms;
    CHECK_INT(count, RUNS);
    CHECK(delays[0] <= MIN + MIN / 4 + 1);
    for (int i = 2; i < RUNS; i++) /* spread by a quarter */
        CHECK(delays[i] >= MAX - MAX / 4 - 1);
    ps_supervisor_free(supervisor);
    ps_child_free(child);
    return 0;
}
