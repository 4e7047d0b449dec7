/* How a worker ended is told as it was, though it is the preloader's child: while its zombie is there, and after it was reaped as far as the
   kernel keeps it. Nobody hangs where nobody knows. */
/* covers: P-b3, PA-93, D-1, D-2, LAW-3, LAW-11 */
/* variants: only tier-fork, no-pidfd-info, no-waitid-pidfd, no-pidfd_open, old-kernel-5.4, locked-down: what is asked of the kernel at an end */
#include "harness.h"
#include "keeper.h"

static void check_end(ps_child *child, int kind, int code, int signal)
{
    ps_exit end = reap(child);
    CHECK_INT(end.kind, kind);
    CHECK_INT(end.code, code);
    CHECK_INT(end.signal, signal);
    CHECK_INT(end.cause, PS_CAUSE_SELF);
    CHECK(end.user_us == -1 && end.system_us == -1 && end.max_rss_kib == -1);
    CHECK(end.started_ns > 0 && end.started_ns < end.ended_ns);
    ps_child_free(child);
}

int main(void)
{
    keeper never = keeper_begin(NULL, "never");
    ps_child *child = worker_of(&never);
    order(&never, "x 0\n");
    check_end(child, PS_EXIT_EXITED, 0, 0);
    child = worker_of(&never);
    order(&never, "x 255\n");
    check_end(child, PS_EXIT_EXITED, 255, 0);
    child = worker_of(&never);
    order(&never, "k 10\n");
    check_end(child, PS_EXIT_SIGNALED, -1, SIGUSR1);
    keeper_end(&never);

    keeper at_once = keeper_begin(NULL, "at-once");
    child = worker_of(&at_once);
    pid_t pid = pid_of(child);
    order(&at_once, "x 7\n");
    CHECK(wait_until(noted(&at_once, "reaped") == pid, 20000));
    if (stolen_status_is_kept())
        check_end(child, PS_EXIT_EXITED, 7, 0);
    else
        check_end(child, PS_EXIT_LOST, -1, 0);
    keeper_end(&at_once);
    CHECK(ps_live_count() == 0 && has_no_child());
    return 0;
}
