/* No event tells of the programs that had begun; their slots are free again, and whoever stands in line has one. With a spawner the same. */
#include "harness.h"
#include "piping.h"

int main(void)
{
    warm_up();
    static event_log log;
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(4);
    fd_of(supervisor);
    ps_command *missing = name_it(command_for("/nonexistent/program", NULL), 1), *runs = name_it(pausing(), 2), *other = name_it(exiting("0"), 3);
    const ps_command *commands[] = {runs, missing, runs, runs}, *good[] = {runs, runs, runs, runs};
    for (int spawner = 0; spawner < 2; spawner++) {
        if (spawner) {
            ps_status status = ps_supervisor_set_spawner(supervisor, 1, &error);
            if (status == PS_ERR_UNSUPPORTED) {
                ps_error_free(error);
                break;
            }
            CHECK_OK(status, error);
        }
        log.count = 0;
        expect_nothing(supervisor);
        error = pipeline_fails(supervisor, commands, 4, PS_ERR_NOT_FOUND);
        CHECK(strncmp(ps_error_message(error), "commands[1]: ", 13) == 0);
        ps_error_free(error);
        error = NULL;
        expect_nothing(supervisor);
        CHECK_COUNTS(supervisor, 0, 0, 0);
        CHECK_INT(ps_live_count(), spawner);

        ps_child *child[4], *waits;
        CHECK_OK(ps_spawn_pipeline(supervisor, good, 4, child, &error), error);
        CHECK_INT(state_of(child[0]), PS_STATE_RUNNING); /* with a spawner, too: all have begun */
        waits = spawn(supervisor, other);
        CHECK_INT(state_of(waits), PS_STATE_PENDING);
        take_until(supervisor, &log, PS_EVENT_STARTED, 2, 4);
        for (int i = 0; i < 4; i++) {
            CHECK(log.events[i].kind == PS_EVENT_STARTED && log.events[i].child == child[i]);
            cancel(child[i]);
        }
        take_until(supervisor, &log, PS_EVENT_EXITED, 2, 4);
        take_until(supervisor, &log, PS_EVENT_EXITED, 3, 1);
        free_all(child, 4);
        ps_child_free(waits);
    }
    shut_down(supervisor, 0);
    ps_error_free(pipeline_fails(supervisor, good, 4, PS_ERR_SHUTDOWN));
    take_until(supervisor, &log, PS_EVENT_SHUTDOWN_DONE, 0, 1);
    ps_supervisor_free(supervisor);
    CHECK(has_no_child());
    ps_command_free(missing);
    ps_command_free(runs);
    ps_command_free(other);
    return 0;
}
