/* A handler that called ps_kill_and_reap_all is left by longjmp, or never returns, while it signals or reaps a child: the child is reaped all
   the same, within bounded time, and everything goes on. */
/* covers: F23, LAW-3, LAW-17 */
/* variants: only no-pidfd-group-signal, locked-down: signals by number, and none of the newer calls */
#include "harness.h"
#include "children.h"
#include "left_frame.h"

static void check_all_is_well(void)
{
    CHECK_INT(ps_live_count(), 0);
    ps_child *child = spawn_once(NULL, exiting("3"));
    CHECK_INT(reap(child).code, 3);
    ps_child_free(child);
}

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    for (int never_returns = 0; never_returns < 2; never_returns++) {
        /* while it signals */
        ps_child *child = spawn_once(NULL, pausing());
        leave_a_frame(LOOKING, never_returns);
        CHECK_OK(ps_signal(child, SIGKILL, &error), error);
        ps_exit end = reap(child);
        CHECK_INT(end.signal, SIGKILL);
        ps_child_free(child);
        check_all_is_well();

        /* while it reaps */
        child = spawn_once(NULL, pausing());
        leave_a_frame(REAPING, never_returns);
        end = reap(child);
        CHECK_INT(end.signal, SIGKILL);
        CHECK_INT(end.cause, PS_CAUSE_KILL_ALL);
        ps_child_free(child);
        check_all_is_well();

        /* the same, and the host has taken the status */
        child = spawn_once(NULL, pausing());
        leave_a_frame(REAPING, never_returns);
        CHECK(waitpid(pid_of(child), NULL, 0) == pid_of(child));
        end = reap(child);
        CHECK_INT(end.kind, stolen_status_is_kept() ? PS_EXIT_SIGNALED : PS_EXIT_LOST);
        ps_child_free(child);
        check_all_is_well();

        /* by its supervisor */
        ps_supervisor *supervisor = supervisor_new();
        child = spawn_once(supervisor, pausing());
        take_event(supervisor, PS_EVENT_STARTED);
        leave_a_frame(REAPING, never_returns);
        CHECK_INT(take_event(supervisor, PS_EVENT_EXITED).exit.signal, SIGKILL);
        ps_child_free(child);
        ps_supervisor_free(supervisor);
        check_all_is_well();
    }
    return 0;
}
