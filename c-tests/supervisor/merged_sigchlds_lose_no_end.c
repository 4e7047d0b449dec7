/* Many children end while SIGCHLD is blocked and pending once: every end is heard of. The host's own children are left for
   the host. */
/* covers: SC-16, D-1 */
#include "harness.h"
#include "supervising.h"

enum { CHILDREN = 60 };

int main(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    ps_supervisor *supervisor = new_supervisor(0);
    gate gate = new_gate();
    ps_child *child[CHILDREN];
    pid_t own[3];
    for (int i = 0; i < 3; i++)
        if ((own[i] = fork()) == 0)
            _exit(40 + i);
    for (int i = 0; i < CHILDREN; i++)
        child[i] = spawn_named(supervisor, at_gate(&gate), (uint64_t)i + 1);
    open_gate(&gate);
    CHECK(wait_until(zombie_count() == CHILDREN + 3, 20000));
    static event_log log;
    take_until(supervisor, &log, PS_EVENT_EXITED, 0, CHILDREN);
    expect_nothing(supervisor);
    for (int i = 0; i < CHILDREN; i++) {
        CHECK_INT(logged(&log, PS_EVENT_EXITED, (uint64_t)i + 1), 1);
        ps_child_free(child[i]);
    }
    CHECK_INT(zombie_count(), 3);
    for (int i = 0; i < 3; i++) {
        int status = wait_for(own[i]);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 40 + i);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
