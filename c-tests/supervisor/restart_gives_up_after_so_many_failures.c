/* GAVE_UP after restart_limit failed runs in a row (default 5), with the last exit; then it is over for good. A signal is a failure too. */
#include "harness.h"
#include "supervising.h"

static void check_gives_up(ps_supervisor *supervisor, ps_command *command, int runs, int signal)
{
    ps_child *child = spawn_named(supervisor, restarting(command, PS_RESTART_ON_FAILURE, 0, 0), 1);
    for (int run = 1; run <= runs; run++) {
        CHECK_INT(expect(supervisor, PS_EVENT_STARTED, 1).run, run);
        CHECK_INT(expect(supervisor, PS_EVENT_EXITED, 1).run, run);
        if (run < runs)
            CHECK_INT(expect(supervisor, PS_EVENT_RESTARTING, 1).run, run);
    }
    ps_event given_up = expect(supervisor, PS_EVENT_GAVE_UP, 1);
    CHECK(given_up.run == (uint32_t)runs && given_up.child == child && given_up.status == PS_OK && given_up.exit.signal == signal);
    CHECK_INT(given_up.exit.size, sizeof(ps_exit));
    expect_nothing(supervisor);
    CHECK_INT(reap(child).signal, signal);
    CHECK_INT(state_of(child), PS_STATE_EXITED);
    CHECK_COUNTS(supervisor, 0, 0, 0);
    ps_child_free(child);
}

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(1);
    check_gives_up(supervisor, exiting("1"), 5, 0);
    check_gives_up(supervisor, giving_up_after(exiting("1"), 1), 1, 0);
    check_gives_up(supervisor, giving_up_after(helper_command("die_by", "9", NULL), 3), 3, SIGKILL);
    ps_supervisor_free(supervisor);
    return 0;
}
