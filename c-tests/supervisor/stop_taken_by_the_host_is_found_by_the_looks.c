/* A host that waits for the stops of its children itself takes the kernel's word of them before a look can: the looks find the stop in /proc,
   within a second or so, and the continue, too. */
/* variants: none: the same by each way to wait, and it takes a second */
#include "halting.h"

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_named(supervisor, watched(pausing(), SOON_MS), 1);
    expect(supervisor, PS_EVENT_STARTED, 1);
    int status = 0;
    send_it(child, SIGSTOP); /* nobody looks while no call is made */
    CHECK_INT(waitpid(pid_of(child), &status, WUNTRACED), pid_of(child));
    CHECK(WIFSTOPPED(status));
    EXPECT_STOPPED(supervisor, 1, -1);
    send_it(child, SIGCONT);
    CHECK_INT(waitpid(pid_of(child), &status, WCONTINUED), pid_of(child));
    CHECK(WIFCONTINUED(status));
    expect(supervisor, PS_EVENT_CONTINUED, 1);
    kill_and_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
