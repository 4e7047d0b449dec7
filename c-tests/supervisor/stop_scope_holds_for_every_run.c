/* A child that is started again is stopped by the scope of its command in its second run as in its first, by a shutdown and by ps_terminate. */
/* variants: few */
#include "harness.h"
#include "crew.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    for (int shutdown = 0; shutdown < 2; shutdown++) {
        ps_supervisor *supervisor = supervisor_new();
        ps_command *command = restarting(crew_command("plain", PS_SCOPE_MIXED, PS_SURVIVORS_LEAVE), PS_RESTART_ALWAYS, 0, 0);
        crew_plan(command, PATIENCE_MS);
        crew first = crew_spawn(supervisor, name_it(command, 1)), second = first;
        expect(supervisor, PS_EVENT_STARTED, 1);
        CHECK_OK(ps_signal_process(first.child, SIGINT, &error), error);
        ps_exit end = expect(supervisor, PS_EVENT_EXITED, 1).exit;
        CHECK(end.signal == SIGINT && end.cause == PS_CAUSE_OWNER);
        expect(supervisor, PS_EVENT_RESTARTING, 1);
        expect(supervisor, PS_EVENT_STARTED, 1);
        crew_end(&first);
        CHECK_INT(crew_said(&first, "worker got 2"), 0);
        CHECK_INT(crew_said(&first, "worker done"), CREW_WORKERS);
        free(first.text);

        crew_meet(&second);
        CHECK(second.ready);
        if (shutdown)
            shut_down(supervisor, -1);
        else
            terminate(second.child, -1);
        end = reap(second.child);
        CHECK_INT(end.signal, SIGTERM);
        CHECK_INT(end.cause, shutdown ? PS_CAUSE_SHUTDOWN : PS_CAUSE_STOP);
        crew_end(&second);
        CHECK_INT(crew_said(&second, "worker got 15"), 0);
        CHECK_INT(crew_said(&second, "worker done"), CREW_WORKERS);
        crew_free(&second);
        ps_supervisor_free(supervisor);
    }
    return 0;
}
