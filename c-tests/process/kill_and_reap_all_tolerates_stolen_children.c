/* A child that the host reaped itself is simply not there any more (ESRCH, ECHILD): not left, not waited for. */
/* covers: EV-5 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_child *alive = spawn_once(NULL, pausing());
    ps_child *stolen = spawn_once(NULL, exiting("3"));
    int status = wait_for(pid_of(stolen));
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);

    uint32_t left = 77;
    CHECK(ps_kill_and_reap_all(PATIENCE_MS, &left) == PS_OK);
    CHECK(left == 0);
    CHECK(ps_live_count() == 0);

    ps_exit end = reap(stolen);
    if (stolen_status_is_kept())
        CHECK(end.kind == PS_EXIT_EXITED && end.code == 3);
    else
        CHECK(end.kind == PS_EXIT_LOST);
    CHECK(reap(alive).signal == SIGKILL);
    ps_child_free(stolen);
    ps_child_free(alive);
    return 0;
}
