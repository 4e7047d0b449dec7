/* ps_kill_and_reap_all ends a child with a restart policy for good. */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    uint32_t left = 99;
    ps_supervisor *supervisor = new_supervisor(0);
    ps_child *child[4];
    for (int i = 0; i < 4; i++)
        child[i] = spawn_named(supervisor, restarting(pausing(), PS_RESTART_ALWAYS, 0, 0), (uint64_t)i + 1);
    CHECK_STATUS(ps_kill_and_reap_all(20000, &left), PS_OK);
    CHECK_INT(left, 0);
    static event_log log;
    take_until(supervisor, &log, PS_EVENT_EXITED, 0, 4);
    expect_nothing(supervisor);
    CHECK_INT(logged(&log, PS_EVENT_RESTARTING, 0), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_INT(reap(child[i]).cause, PS_CAUSE_KILL_ALL);
        ps_child_free(child[i]);
    }
    CHECK_COUNTS(supervisor, 0, 0, 0);
    CHECK(has_no_child());
    ps_supervisor_free(supervisor);
    return 0;
}
