/* While a child waits for its restart it holds no slot; when the wait is over it joins the line behind those who stand there, also
   when the line is full. */
/* covers: SC-3 */
#include "harness.h"
#include "supervising.h"

/* False if the rest was over before the slot was taken: a busy machine needs a longer one. */
static bool joined(int64_t rest_ms)
{
    static event_log log;
    log.count = 0;
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(1);
    CHECK_OK(ps_supervisor_set_max_pending(supervisor, 2, &error), error);
    gate gate = new_gate();
    ps_child *again = spawn_named(supervisor, giving_up_after(restarting(exiting("1"), PS_RESTART_ON_FAILURE, rest_ms, rest_ms), 2), 1);
    take_until(supervisor, &log, PS_EVENT_RESTARTING, 1, 1);
    ps_child *running = spawn_named(supervisor, at_gate(&gate), 2);
    int64_t began_ns = log.events[log.count - 1].time_ns;
    if (now_ns() - began_ns >= rest_ms * 1000000) {
        ps_supervisor_free(supervisor);
        open_gate(&gate);
        ps_child_free(again);
        ps_child_free(running);
        return false;
    }
    CHECK_INT(state_of(running), PS_STATE_RUNNING);
    ps_child *waiting[2];
    for (int i = 0; i < 2; i++) /* both places in line: who rests does not count */
        waiting[i] = spawn_named(supervisor, exiting("0"), (uint64_t)i + 3);
    CHECK_COUNTS(supervisor, 3, 1, 0);
    int64_t over_ns = began_ns + 2 * rest_ms * 1000000;
    ps_event event = {.size = sizeof event};
    while (now_ns() < over_ns) /* its wait is over by now: it stands in line */
        CHECK(ps_supervisor_next_event(supervisor, 10, &event, NULL) == PS_PENDING || event.kind == PS_EVENT_STARTED);
    CHECK_COUNTS(supervisor, 3, 1, 0);
    CHECK_STATUS(ps_reap(again, 0, NULL, NULL), PS_ERR_TIMEOUT);
    open_gate(&gate);
    log.count = 0;
    take_until(supervisor, &log, PS_EVENT_GAVE_UP, 1, 1);
    CHECK(place_of(&log, PS_EVENT_STARTED, 3) < place_of(&log, PS_EVENT_STARTED, 4));
    CHECK(place_of(&log, PS_EVENT_STARTED, 4) < place_of(&log, PS_EVENT_STARTED, 1));
    ps_child_free(again);
    ps_child_free(running);
    ps_child_free(waiting[0]);
    ps_child_free(waiting[1]);
    ps_supervisor_free(supervisor);
    return true;
}

int main(void)
{
    CHECK(joined(30) || joined(300) || joined(5000));
    return 0;
}
