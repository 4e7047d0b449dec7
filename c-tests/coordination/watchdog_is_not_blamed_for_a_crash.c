/* A child that has died of something else just when its time was over died of that: whoever looks first. */
/* covers: C13-4, LAW-18 */
#include "notifying.h"

int main(void)
{
    ps_error *error = NULL;
    struct speaker child = speaking(NULL, PS_NOTIFY_MAIN, 50, "say", "READY=1", "line", "exit", "9", NULL);
    CHECK_OK(ps_wait_ready(child.child, PATIENCE_MS, &error), error);
    int32_t pid = 0;
    CHECK_OK(ps_child_pid(child.child, &pid, &error), error);
    tell(&child);
    CHECK(wait_until(process_state(pid) == 'Z', 20000));
    poll(NULL, 0, 120); /* past its time */
    ps_exit end = end_of(NULL, &child);
    CHECK_INT(end.kind, PS_EXIT_EXITED);
    CHECK_INT(end.code, 9);
    CHECK_INT(end.cause, PS_CAUSE_SELF);
    speaker_end(&child);
    return 0;
}
