/* A worker is no child of the host, and the kernel has no word for the host of its being stopped: the looks find it in /proc, with no signal. */
/* variants: few */
#include "halting.h"
#include "keeper.h"

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    keeper k = keeper_begin(supervisor, "never");
    ps_child *child = worker_as(&k, watched(pausing(), SOON_MS));
    expect(supervisor, PS_EVENT_STARTED, 0);
    expect(supervisor, PS_EVENT_READY, 0);
    CHECK_INT(stopped_by(child), 0);
    if (signals_reach_workers()) {
        send_it(child, SIGSTOP);
        EXPECT_STOPPED(supervisor, 0, -1);
        CHECK_INT(stopped_by(child), -1);
        CHECK_INT(state_of(child), PS_STATE_RUNNING);
        send_it(child, SIGCONT);
        expect(supervisor, PS_EVENT_CONTINUED, 0);
    }
    order(&k, "x 3\n");
    expect(supervisor, PS_EVENT_EXITED, 0);
    CHECK_INT(stopped_by(child), 0);
    ps_child_free(child);
    keeper_end(&k);
    ps_supervisor_free(supervisor);
    return 0;
}
