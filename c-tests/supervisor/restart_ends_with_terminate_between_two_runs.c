/* Between two runs a child is PENDING, holds no slot, and ps_terminate(_begin) ends it for good: CANCELLED; its last run is how it
   ended. */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(1);
    for (int round = 0; round < 2; round++) {
        ps_child *child = spawn_named(supervisor, restarting(exiting("6"), PS_RESTART_ALWAYS, 600000, 600000), 1);
        expect(supervisor, PS_EVENT_STARTED, 1);
        expect(supervisor, PS_EVENT_EXITED, 1);
        CHECK(expect(supervisor, PS_EVENT_RESTARTING, 1).delay_ms == 600000);
        CHECK_INT(state_of(child), PS_STATE_PENDING);
        CHECK_COUNTS(supervisor, 1, 0, 0);
        CHECK_STATUS(ps_reap(child, 10, NULL, NULL), PS_ERR_TIMEOUT);
        CHECK_STATUS(ps_reap_nonblock(child, NULL, NULL), PS_PENDING);
        ps_child *other = spawn_named(supervisor, pausing(), 2); /* the slot is free */
        CHECK_INT(state_of(other), PS_STATE_RUNNING);
        expect(supervisor, PS_EVENT_STARTED, 2);
        CHECK_STATUS(ps_signal(child, SIGTERM, NULL), PS_ERR_EXITED);

        if (round == 0)
            CHECK_OK(ps_terminate_begin(child, -1, &error), error);
        else
            CHECK_INT(terminate(child, -1).code, 6);
        ps_event event = expect(supervisor, PS_EVENT_CANCELLED, 1);
        CHECK(event.status == PS_ERR_CANCELLED && event.run == 1);
        CHECK_INT(reap(child).code, 6);
        CHECK_INT(state_of(child), PS_STATE_EXITED);
        CHECK_COUNTS(supervisor, 0, 1, 0);
        kill(pid_of(other), SIGKILL);
        expect(supervisor, PS_EVENT_EXITED, 2);
        ps_child_free(other);
        expect_nothing(supervisor);
        ps_child_free(child);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
