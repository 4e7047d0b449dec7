/* Of a child's descendants nobody is heard: a grandchild's READY=1 makes it not ready, and its STOPPING=1 stops nothing. */
/* covers: C13-3, CO-jay-999 */
#include "notifying.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    struct speaker child = speaking(supervisor, PS_NOTIFY_MAIN, 0, "fork", "say", "READY=1", "say", "STOPPING=1\\nSTATUS=lies", "print", "said",
                                    "pause", NULL);
    CHECK_STR(hear(&child), "said");
    CHECK(wait_until(said(&child).refused == 2, 20000));
    ps_notified notified = said(&child);
    CHECK_INT(notified.ready, 0);
    CHECK_INT(notified.stopping, 0);
    CHECK_INT(notified.messages, 0);
    CHECK_STR(status_text(&child), "");
    CHECK_STATUS(ps_wait_ready(child.child, 0, NULL), PS_ERR_TIMEOUT);
    speaker_end(&child);

    /* In the same group its own process is heard. */
    child = speaking(supervisor, PS_NOTIFY_MAIN, 0, "say", "READY=1\\nSTATUS=true", "pause", NULL);
    CHECK_OK(ps_wait_ready(child.child, PATIENCE_MS, &error), error);
    CHECK_STR(status_text(&child), "true");
    speaker_end(&child);
    ps_supervisor_free(supervisor);
    return 0;
}
