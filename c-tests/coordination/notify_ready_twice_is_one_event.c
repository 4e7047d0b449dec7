/* READY=1 said twice, as at the end of a reload, is one PS_EVENT_READY; the reload is told with its time. */
/* covers: C13-3 */
#include "notifying.h"

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    struct speaker child = speaking(supervisor, PS_NOTIFY_MAIN, 0, "say", "READY=1", "line", "say", "RELOADING=1\\nMONOTONIC_USEC=123456", "line",
                                    "say", "READY=1", "line", "say", "RELOADING=1", "exit", "0", NULL);
    await_event(supervisor, PS_EVENT_READY);
    tell(&child);
    await_event(supervisor, PS_EVENT_NOTIFIED);
    CHECK_INT(said(&child).reloading, 1);
    CHECK_INT(said(&child).reloading_ns, 123456000);
    tell(&child);
    await_event(supervisor, PS_EVENT_NOTIFIED);
    CHECK_INT(said(&child).reloading, 0);
    tell(&child);
    for (;;) {
        ps_event event = {.size = sizeof event};
        ps_error *error = NULL;
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        CHECK(event.kind != PS_EVENT_READY);
        if (event.kind == PS_EVENT_EXITED)
            break;
    }
    CHECK_INT(said(&child).reloading, 1);
    CHECK_INT(said(&child).reloading_ns, 0);
    speaker_end(&child);
    ps_supervisor_free(supervisor);
    return 0;
}
