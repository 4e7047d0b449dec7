/* Freed in the middle of anything: children that run, are being stopped, wait in line, wait for their restart. Bounded,
   nothing is left, and each handle still answers. */
/* covers: SC-9 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    warm_up();
    for (int round = 0; round < 5; round++) {
        leak_guard guard = leak_guard_begin();
        ps_supervisor *supervisor = new_supervisor(4);
        ps_child *resting = spawn_named(supervisor, restarting(exiting("1"), PS_RESTART_ALWAYS, 60000, 60000), 1);
        static event_log log;
        log.count = 0;
        take_until(supervisor, &log, PS_EVENT_RESTARTING, 1, 1);
        ps_child *running = spawn_named(supervisor, pausing(), 2);
        ps_child *stopping = spawn_deaf(supervisor);
        ps_child *again = spawn_named(supervisor, restarting(pausing(), PS_RESTART_ALWAYS, 0, 0), 3);
        ps_child *deaf = spawn_deaf(supervisor);
        ps_child *waiting = spawn_named(supervisor, pausing(), 4);
        ps_child *waiting_again = spawn_named(supervisor, restarting(pausing(), PS_RESTART_ALWAYS, 0, 0), 5);
        CHECK_OK(ps_terminate_begin(stopping, 60000, NULL), NULL);
        if (round % 2)
            shut_down(supervisor, 60000);
        CHECK_COUNTS(supervisor, round % 2 ? 0 : 3, round % 2 ? 0 : 3, round % 2 ? 4 : 1);
        int64_t start = now_ns();
        ps_supervisor_free(supervisor);
        CHECK(elapsed_ms(start) < PATIENCE_MS); /* not the minute of any grace */
        ps_child *const ended[] = {running, stopping, again, deaf};
        for (int i = 0; i < 4; i++) {
            CHECK_INT(state_of(ended[i]), PS_STATE_EXITED);
            ps_exit end = reap(ended[i]);
            CHECK(end.signal == SIGKILL || round % 2);
            CHECK_INT(end.cause, i == 1 ? PS_CAUSE_STOP : PS_CAUSE_SHUTDOWN);
            ps_child_free(ended[i]);
        }
        CHECK_INT(reap(resting).code, 1); /* its last run is how it ended */
        CHECK_STATUS(ps_reap(waiting, -1, NULL, NULL), PS_ERR_SHUTDOWN);
        CHECK_STATUS(ps_terminate(waiting_again, -1, NULL, NULL), PS_ERR_SHUTDOWN);
        CHECK(state_of(waiting) == PS_STATE_CANCELLED && state_of(waiting_again) == PS_STATE_CANCELLED);
        CHECK_STATUS(ps_terminate_begin(waiting, -1, NULL), PS_OK);
        ps_child_free(resting);
        ps_child_free(waiting);
        ps_child_free(waiting_again);
        CHECK(has_no_child());
        leak_guard_end(&guard);
    }
    return 0;
}
