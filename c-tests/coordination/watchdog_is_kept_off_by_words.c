/* A child that says WATCHDOG=1 lives on, through several of its periods; other words are no sign of life. */
/* covers: C13-4 */
/* variants: none */
#include "notifying.h"

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    struct speaker child = speaking(supervisor, PS_NOTIFY_MAIN, 500 * slowness(), "say", "READY=1", "pings", "20", NULL);
    await_event(supervisor, PS_EVENT_READY);
    for (int64_t end = now_ms() + 1250 * slowness(); now_ms() < end;) {
        ps_event event = {.size = sizeof event};
        ps_error *error = NULL;
        CHECK_STATUS(ps_supervisor_next_event(supervisor, end - now_ms(), &event, &error), PS_PENDING);
    }
    CHECK(said(&child).messages > 10);
    speaker_end(&child);

    child = speaking(supervisor, PS_NOTIFY_MAIN, 100, "say", "READY=1", "times", "1000000", "STATUS=talking", NULL);
    CHECK_INT(end_of(supervisor, &child).cause, PS_CAUSE_WATCHDOG);
    speaker_end(&child);
    ps_supervisor_free(supervisor);
    return 0;
}
