/* ps_kill_and_reap_all from a signal handler takes along who has left the group and the session, and when it is back nobody has
   survived (before Linux 5.14, which has no cgroup.kill: when the child was reaped). The directories go by later calls. */
#include "harness.h"
#include "containment.h"

enum { CHILDREN = 4 };
static volatile sig_atomic_t status = -100, left_over = -1, errno_kept;

static void end_all(int signal_number)
{
    uint32_t left = 77;
    (void)signal_number;
    errno = 4711;
    status = ps_kill_and_reap_all(PATIENCE_MS, &left);
    errno_kept = errno == 4711;
    left_over = (sig_atomic_t)left;
}

int main(void)
{
    static struct escape escape[CHILDREN];
    static const char *const ways[CHILDREN] = {"daemon", "bomb-sessions", "stopped", "bare"};
    ps_child *child[CHILDREN];
    cgroup_root();
    signal(SIGUSR2, end_all);
    for (int i = 0; i < CHILDREN; i++) {
        ps_command *command = escaping(ways[i], &escape[i], 0);
        in_cgroup(command, cgroup_path(""));
        child[i] = spawn_escape(NULL, command, &escape[i]);
    }
    CHECK_INT(subdirectories(cgroup_root()), CHILDREN);
    raise(SIGUSR2);
    CHECK(status == PS_OK && left_over == 0 && errno_kept);
    for (int i = 0; i < CHILDREN; i++) {
        if (!kernel_at_least(5, 14))
            reap(child[i]);
        CHECK_INT(escape_survivors(&escape[i]), 0);
        escape_end(&escape[i]);
        CHECK_INT(reap(child[i]).cause, PS_CAUSE_KILL_ALL);
        ps_child_free(child[i]);
    }
    CHECK(wait_until((warm_up(), subdirectories(cgroup_root()) == 0), 20000));
    return 0;
}
