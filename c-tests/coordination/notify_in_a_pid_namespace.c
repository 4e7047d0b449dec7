/* A child that is born into another pid namespace finds the number there in WATCHDOG_PID, and is heard under the one here; what comes from a
   namespace beside it has no number here and is not heard. */
/* covers: C13-4, CO-systemd-25961 */
/* as-root */
/* variants: few */
#include "notifying.h"

int main(void)
{
    ps_error *error = NULL;
    if (unshare(CLONE_NEWPID) != 0)
        SKIP("no pid namespace is to be had here");
    struct speaker child = speaking(NULL, PS_NOTIFY_MAIN, 60000, "pid", "env", "WATCHDOG_PID", "say", "READY=1", "fork", "say", "STOPPING=1", "print",
                                    "said", "pause", NULL);
    CHECK_OK(ps_wait_ready(child.child, PATIENCE_MS, &error), error);
    CHECK_STR(hear(&child), "1");
    CHECK_STR(hear(&child), "WATCHDOG_PID=1");
    CHECK_STR(hear(&child), "said");
    CHECK(wait_until(said(&child).refused == 1, 20000));
    CHECK_INT(said(&child).stopping, 0);
    speaker_end(&child);
    return 0;
}
