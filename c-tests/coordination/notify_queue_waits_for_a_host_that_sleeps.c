/* The kernel's queue holds ten messages; then the child waits, and nothing is lost: neither while nobody looks, nor at its end. */
/* covers: C13-3 */
#include "notifying.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    struct speaker child = speaking(supervisor, PS_NOTIFY_MAIN, 0, "say", "READY=1", "times", "40", "STATUS=busy", "print", "through", "exit", "7",
                                    NULL);
    int32_t pid = 0;
    CHECK_OK(ps_child_pid(child.child, &pid, &error), error);
    CHECK(wait_until(process_state(pid) == 'S', 20000));
    CHECK(!readable(child.out, 20));
    ps_event event = await_event(supervisor, PS_EVENT_READY);
    CHECK(event.child == child.child);
    event = await_event(supervisor, PS_EVENT_EXITED);
    CHECK(event.child == child.child);
    CHECK_INT(said(&child).messages, 41);
    CHECK_STR(hear(&child), "through");
    speaker_end(&child);
    ps_supervisor_free(supervisor);
    return 0;
}
