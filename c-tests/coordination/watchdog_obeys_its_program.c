/* WATCHDOG=trigger ends the child at once, also before it is ready; WATCHDOG_USEC gives it another period; STOPPING=1 ends the watch. */
/* covers: C13-4 */
#include "notifying.h"

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    struct speaker child = speaking(supervisor, PS_NOTIFY_MAIN, 600000, "say", "WATCHDOG=trigger", "pause", NULL);
    ps_exit end = end_of(supervisor, &child);
    CHECK_INT(end.cause, PS_CAUSE_WATCHDOG);
    CHECK_INT(end.signal, SIGABRT);
    speaker_end(&child);

    child = speaking(supervisor, PS_NOTIFY_MAIN, 600000, "say", "READY=1", "say", "WATCHDOG_USEC=50000", "pause", NULL);
    CHECK_INT(end_of(supervisor, &child).cause, PS_CAUSE_WATCHDOG);
    speaker_end(&child);

    /* Turned off, or on its way out, before it could be armed: it goes on until its deadline. */
    const char *const last[] = {"WATCHDOG_USEC=0", "STOPPING=1"};
    for (int i = 0; i < 2; i++) {
        ps_error *error = NULL;
        ps_command *command = notifier_for(PS_NOTIFY_MAIN, 50, "say", last[i], "say", "READY=1", "pause", NULL);
        CHECK_OK(ps_command_deadline(command, 400, &error), error);
        child = speaker_of(supervisor, command);
        end = end_of(supervisor, &child);
        CHECK_INT(end.cause, PS_CAUSE_DEADLINE);
        speaker_end(&child);
    }

    /* Nobody asked for a watchdog: its words are none. */
    child = speaking(supervisor, PS_NOTIFY_MAIN, 0, "say", "READY=1", "say", "WATCHDOG_USEC=1", "say", "WATCHDOG=trigger", "exit", "3", NULL);
    end = end_of(supervisor, &child);
    CHECK_INT(end.cause, PS_CAUSE_SELF);
    CHECK_INT(end.code, 3);
    speaker_end(&child);
    ps_supervisor_free(supervisor);
    return 0;
}
