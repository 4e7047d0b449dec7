/* A handle that was freed while its child runs: the supervisor still owns and reaps the child. One that was reaped and freed gives
   no events any more. */
/* covers: SC-19 */
/* variants: all */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_once(supervisor, exiting("0"));
    reap(child);
    ps_child_free(child);
    ps_event event = {.size = sizeof event};
    CHECK_STATUS(ps_supervisor_next_event(supervisor, 0, &event, NULL), PS_PENDING);

    child = spawn_once(supervisor, pausing());
    pid_t pid = pid_of(child);
    ps_child_free(child);
    CHECK_INT(ps_live_count(), 1);
    kill(pid, SIGKILL);
    CHECK(wait_until((ps_supervisor_next_event(supervisor, 0, &event, NULL), process_gone(pid)), 20000));
    CHECK_INT(ps_live_count(), 0);

    child = spawn_once(supervisor, pausing());
    pid = pid_of(child);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    CHECK(process_gone(pid));
    CHECK_INT(ps_live_count(), 0);
    return 0;
}
