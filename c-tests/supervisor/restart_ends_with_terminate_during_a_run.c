/* ps_terminate or ps_terminate_begin during a run: the run is stopped, and is the last. */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(0);
    for (int round = 0; round < 3; round++) {
        ps_command *command = restarting(pausing(), PS_RESTART_ALWAYS, 0, 0);
        ps_child *child = spawn_named(supervisor, command, 1);
        for (int run = 1; run <= 3; run++) {
            CHECK_INT(expect(supervisor, PS_EVENT_STARTED, 1).run, run);
            if (run < 3) {
                CHECK_STATUS(ps_signal(child, SIGKILL, NULL), PS_OK); /* a signal of the owner ends the run, not the child */
                CHECK_INT(expect(supervisor, PS_EVENT_EXITED, 1).exit.cause, PS_CAUSE_OWNER);
                expect(supervisor, PS_EVENT_RESTARTING, 1);
            }
        }
        if (round == 0)
            CHECK_OK(ps_terminate_begin(child, -1, &error), error);
        else if (round == 1)
            CHECK_INT(terminate(child, -1).cause, PS_CAUSE_STOP);
        else
            shut_down(supervisor, -1);
        ps_event ended = expect(supervisor, PS_EVENT_EXITED, 1);
        CHECK(ended.exit.signal == SIGTERM && ended.exit.cause == (round == 2 ? PS_CAUSE_SHUTDOWN : PS_CAUSE_STOP) && ended.run == 3);
        if (round == 2)
            expect(supervisor, PS_EVENT_SHUTDOWN_DONE, 0);
        expect_nothing(supervisor);
        CHECK_INT(reap(child).signal, SIGTERM);
        CHECK_COUNTS(supervisor, 0, 0, 0);
        ps_child_free(child);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
