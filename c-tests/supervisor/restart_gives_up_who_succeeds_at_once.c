/* A service that puts itself into the background exits with 0 at every start, at once, and PS_RESTART_ALWAYS starts the next: that counts like
   failing, so the waits grow and it is given up, with its exit as it was. A run that exits with 0 later does not count, nor does an early
   one of a command that says so; and PS_RESTART_ON_FAILURE is content with it as ever. */
/* covers: F21 */
#include "harness.h"
#include "supervising.h"

/* False if a run took so long on a busy machine that it was no early one. */
static bool given_up_with_early_exits(ps_supervisor *supervisor)
{
    ps_command *command = shell("setsid sleep 1 >/dev/null 2>&1 & exit 0", "");
    ps_child *child = spawn_named(supervisor, restarting(command, PS_RESTART_ALWAYS, 0, 4), 1);
    int64_t longest = 0;
    for (uint32_t run = 1; run <= 5; run++) {
        CHECK_INT(expect(supervisor, PS_EVENT_STARTED, 1).run, run);
        ps_exit ended = expect(supervisor, PS_EVENT_EXITED, 1).exit;
        CHECK_INT(ended.code, 0);
        if (ended.ended_ns - ended.started_ns >= 900 * INT64_C(1000000)) {
            static event_log log;
            ps_terminate(child, 0, NULL, NULL);
            take_all(supervisor, &log);
            ps_child_free(child);
            return false;
        }
        if (run < 5) {
            ps_event again = expect(supervisor, PS_EVENT_RESTARTING, 1);
            longest = again.delay_ms > longest ? again.delay_ms : longest;
        }
    }
    CHECK(longest > 1);
    ps_event given_up = expect(supervisor, PS_EVENT_GAVE_UP, 1);
    CHECK(given_up.exit.code == 0 && given_up.exit.kind == PS_EXIT_EXITED && given_up.status == PS_OK);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
    return true;
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(0);
    bool early = false;
    for (int attempt = 0; !early && attempt < 5; attempt++)
        early = given_up_with_early_exits(supervisor);
    CHECK(early);

    /* Not early: later than this command says. */
    ps_command *command = name_it(giving_up_after(restarting(shell("sleep 0.05", ""), PS_RESTART_ALWAYS, 0, 0), 2), 2);
    CHECK_OK(ps_command_restart_early_exit(command, 20, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    static event_log log;
    take_until(supervisor, &log, PS_EVENT_RESTARTING, 2, 5);
    CHECK_INT(logged(&log, PS_EVENT_GAVE_UP, 2), 0);
    CHECK_STATUS(ps_terminate(child, 0, NULL, NULL), PS_OK);
    take_all(supervisor, &log);
    ps_child_free(child);

    child = spawn_named(supervisor, giving_up_after(restarting(exiting("0"), PS_RESTART_ON_FAILURE, 0, 0), 1), 3);
    expect(supervisor, PS_EVENT_STARTED, 3);
    expect(supervisor, PS_EVENT_EXITED, 3);
    expect_nothing(supervisor);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
