/* PS_RESTART_ALWAYS: whatever the end; a success that was no early exit (here none is) never gives up, the handle stays the same, every run has a process of its own. */
#include "harness.h"
#include "supervising.h"

enum { RUNS = 12 };

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    ps_command *command = short_by_nature(giving_up_after(restarting(exiting("0"), PS_RESTART_ALWAYS, 0, 0), 1));
    ps_child *child = spawn_named(supervisor, command, 1);
    for (uint32_t run = 1; run <= RUNS; run++) {
        ps_event started = expect(supervisor, PS_EVENT_STARTED, 1);
        CHECK(started.run == run && started.child == child);
        CHECK(expect(supervisor, PS_EVENT_EXITED, 1).run == run);
        ps_event again = expect(supervisor, PS_EVENT_RESTARTING, 1);
        CHECK(again.run == run && again.delay_ms == 0 && again.exit.code == 0);
    }
    CHECK_STATUS(ps_reap_nonblock(child, NULL, NULL), PS_PENDING);
    ps_status status = ps_terminate(child, -1, NULL, NULL);
    CHECK_STATUS(status, PS_OK);
    static event_log log;
    take_all(supervisor, &log);
    CHECK(has_no_child());
    expect_nothing(supervisor);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
