/* PS_RESTART_ON_FAILURE: every failed run has STARTED, EXITED and RESTARTING; the run that exits with 0 is the last, and what
   ps_reap answers. */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/count", temp_dir());
    ps_supervisor *supervisor = new_supervisor(0);
    ps_command *command = shell("n=$(cat \"$1\" 2>/dev/null || echo 0); echo $((n+1)) > \"$1\"; test $n -ge 3 || exit $((n+1))", path);
    ps_child *child = spawn_named(supervisor, restarting(command, PS_RESTART_ON_FAILURE, 0, 1), 1);
    for (uint32_t run = 1; run <= 4; run++) {
        ps_event started = expect(supervisor, PS_EVENT_STARTED, 1), ended = expect(supervisor, PS_EVENT_EXITED, 1);
        CHECK(started.child == child && started.run == run && ended.run == run && started.pid == ended.pid && started.pid > 0);
        CHECK_INT(ended.exit.code, run < 4 ? run : 0);
        if (run < 4) {
            ps_event again = expect(supervisor, PS_EVENT_RESTARTING, 1);
            CHECK(again.exit.code == (int32_t)run && again.run == run && again.status == PS_OK && again.delay_ms >= 0);
            CHECK_INT(again.delay_ms > 1, 0);
        }
    }
    expect_nothing(supervisor);
    CHECK_INT(reap(child).code, 0);
    CHECK_INT(state_of(child), PS_STATE_EXITED);
    CHECK_COUNTS(supervisor, 0, 0, 0);
    unlink(path);
    *strrchr(path, '/') = 0;
    rmdir(path);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
