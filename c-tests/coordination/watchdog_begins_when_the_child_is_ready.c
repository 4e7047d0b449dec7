/* Before READY=1 a child may be silent; from then on it may not, whether it reloads or not. Without readiness it is watched from its exec on. */
/* covers: C13-4 */
/* variants: few */
#include "notifying.h"

static void until(ps_supervisor *supervisor, int64_t ms)
{
    for (int64_t end = now_ms() + ms; now_ms() < end;) {
        ps_event event = {.size = sizeof event};
        ps_error *error = NULL;
        ps_status status = ps_supervisor_next_event(supervisor, end - now_ms(), &event, &error);
        CHECK(status == PS_PENDING || (status == PS_OK && event.kind != PS_EVENT_EXITED));
    }
}

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    struct speaker child = speaking(supervisor, PS_NOTIFY_MAIN, 50, "say", "WATCHDOG=1", "line", "say", "READY=1", "pause", NULL);
    until(supervisor, 200);
    for (int64_t last = now_ms() + PATIENCE_MS; said(&child).messages < 1 && now_ms() < last;)
        until(supervisor, 20);
    CHECK_INT(said(&child).messages, 1);
    tell(&child);
    await_event(supervisor, PS_EVENT_READY);
    CHECK_INT(end_of(supervisor, &child).cause, PS_CAUSE_WATCHDOG);
    speaker_end(&child);

    child = speaking(supervisor, PS_NOTIFY_MAIN, 50, "say", "READY=1\\nRELOADING=1\\nMONOTONIC_USEC=1", "say", "RELOADING=1", "pause", NULL);
    CHECK_INT(end_of(supervisor, &child).cause, PS_CAUSE_WATCHDOG);
    speaker_end(&child);

    child = unready_speaker(supervisor, 50, "pause", NULL);
    CHECK_INT(end_of(supervisor, &child).cause, PS_CAUSE_WATCHDOG);
    speaker_end(&child);
    ps_supervisor_free(supervisor);
    return 0;
}
