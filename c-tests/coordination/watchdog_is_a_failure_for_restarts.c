/* A child whose watchdog has ended it is started again as one that failed, also when it takes SIGABRT as an invitation to exit with 0; and given up
   after as many. */
/* covers: C13-4 */
#include "notifying.h"

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = notifier_for(PS_NOTIFY_MAIN, 60, "onabort", "0", "say", "READY=1", "pause", NULL);
    set_stdio(command, 0, PS_STDIO_NULL, -1);
    set_stdio(command, 1, PS_STDIO_NULL, -1);
    giving_up_after(restarting(command, PS_RESTART_ON_FAILURE, 1, 2), 3);
    ps_child *child = spawn_in(supervisor, command);
    for (int run = 1; run <= 3; run++) {
        ps_event event = await_event(supervisor, PS_EVENT_READY);
        CHECK_INT(event.run, run);
        event = await_event(supervisor, run < 3 ? PS_EVENT_RESTARTING : PS_EVENT_GAVE_UP);
        CHECK_INT(event.exit.kind, PS_EXIT_EXITED);
        CHECK_INT(event.exit.code, 0);
        CHECK_INT(event.exit.cause, PS_CAUSE_WATCHDOG);
    }
    end_child(child);
    ps_supervisor_free(supervisor);
    return 0;
}
