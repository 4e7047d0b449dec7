/* A child that a spawner has made is the host's own: its stops are told like any other's. */
/* variants: few */
#include "halting.h"
#include "spawning.h"

int main(void)
{
    ps_supervisor *supervisor = spawner_supervisor();
    ps_child *child = spawn_named(supervisor, watched(pausing(), SOON_MS), 1);
    int32_t untouched = 77;
    ps_status early = ps_child_stopped(child, &untouched, NULL); /* it may have begun by now */
    CHECK(early == PS_OK || (early == PS_ERR_STATE && untouched == 77));
    expect(supervisor, PS_EVENT_STARTED, 1);
    send_it(child, SIGSTOP);
    EXPECT_STOPPED(supervisor, 1, SIGSTOP);
    send_it(child, SIGCONT);
    expect(supervisor, PS_EVENT_CONTINUED, 1);
    kill_and_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
