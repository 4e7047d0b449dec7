/* A run that its deadline ended has failed: it is started again, with a deadline of its own, and given up after the limit. */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(0);
    ps_command *command = giving_up_after(restarting(pausing(), PS_RESTART_ON_FAILURE, 0, 0), 3);
    CHECK_OK(ps_command_deadline(command, 30, &error), error);
    ps_child *child = spawn_named(supervisor, command, 1);
    for (int run = 1; run <= 3; run++) {
        ps_event started = expect(supervisor, PS_EVENT_STARTED, 1), ended = expect(supervisor, PS_EVENT_EXITED, 1);
        CHECK(ended.exit.cause == PS_CAUSE_DEADLINE && ended.exit.signal == SIGTERM && started.run == (uint32_t)run);
        CHECK(ended.exit.ended_ns - ended.exit.started_ns >= 30000000);
        expect(supervisor, run < 3 ? PS_EVENT_RESTARTING : PS_EVENT_GAVE_UP, 1);
    }
    CHECK_INT(reap(child).cause, PS_CAUSE_DEADLINE);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
