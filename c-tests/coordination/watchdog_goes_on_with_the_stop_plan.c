/* One that ignores SIGABRT gets the signals of its stop plan, each after its wait, all for the watchdog's cause; and a stop plan that has begun before
   ends the watch, so that its cause stays its own. */
/* covers: C13-4, LAW-18 */
/* variants: few */
#include "notifying.h"

static ps_command *with_steps(ps_command *command, const int *signals, int64_t wait_ms)
{
    ps_error *error = NULL;
    for (; *signals; signals++)
        CHECK_OK(ps_command_stop_step(command, *signals, wait_ms, &error), error);
    return command;
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    const int plan[] = {SIGINT, SIGUSR1, SIGKILL, 0};
    struct speaker child = speaker_of(supervisor, with_steps(notifier_for(PS_NOTIFY_MAIN, 60, "ignore", "6", "ignore", "2", "say", "READY=1",
                                                                          "pause", NULL), plan, 30));
    ps_exit end = end_of(supervisor, &child);
    CHECK_INT(end.signal, SIGUSR1);
    CHECK_INT(end.cause, PS_CAUSE_WATCHDOG);
    speaker_end(&child);

    const int gentle[] = {SIGINT, SIGKILL, 0};
    child = speaker_of(supervisor, with_steps(notifier_for(PS_NOTIFY_MAIN, 500, "ignore", "2", "say", "READY=1", "pause", NULL), gentle, 1200));
    await_event(supervisor, PS_EVENT_READY);
    CHECK_OK(ps_terminate_begin(child.child, -1, &error), error);
    end = end_of(supervisor, &child);
    CHECK_INT(end.signal, SIGKILL);
    CHECK_INT(end.cause, PS_CAUSE_STOP);
    speaker_end(&child);

    /* A child that has stopped itself is silent, and takes SIGABRT all the same. */
    child = speaking(supervisor, PS_NOTIFY_MAIN, 60, "say", "READY=1", "stop", NULL);
    end = end_of(supervisor, &child);
    CHECK_INT(end.signal, SIGABRT);
    CHECK_INT(end.cause, PS_CAUSE_WATCHDOG);
    speaker_end(&child);
    ps_supervisor_free(supervisor);
    return 0;
}
