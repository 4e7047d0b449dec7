/* Each run of a child has a file of its own: with REPLACE the last run's is what is left; with REFUSE the second run finds the first one's
   and cannot be started. */
#include "outputs.h"

static int runs_until_given_up(int32_t if_exists, const char *dir, ps_status why)
{
    ps_error *error = NULL;
    int exited = 0, failed = 0;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = shell("echo x >> \"$1\"; wc -l < \"$1\"; exit 3", in_dir(dir, "counter"));
    to_file(command, in_dir(dir, "out"), if_exists);
    CHECK_OK(ps_command_restart(command, PS_RESTART_ON_FAILURE, 1, 2, &error), error);
    CHECK_OK(ps_command_restart_limit(command, 4, 3600000, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    ps_event event = {.size = sizeof event};
    do {
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        if (event.kind == PS_EVENT_EXITED) {
            exited++;
            CHECK_INT(event.run, exited);
            CHECK_INT(event.exit.code, 3);
            CHECK_INT(event.status, PS_OK);
            char expected[16];
            snprintf(expected, sizeof expected, "%d\n", exited);
            CHECK(content_is(in_dir(dir, "out"), expected));
        }
        if (event.kind == PS_EVENT_FAILED) {
            failed++;
            CHECK_INT(event.status, why);
        }
    } while (event.kind != PS_EVENT_GAVE_UP);
    CHECK_INT(exited + failed, 4);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return exited;
}

int main(void)
{
    const char *dir = new_dir();
    CHECK_INT(runs_until_given_up(PS_OUTPUT_REPLACE, dir, PS_OK), 4);
    CHECK_INT(entries(dir), 2);
    remove_dir(dir);
    dir = new_dir();
    CHECK_INT(runs_until_given_up(PS_OUTPUT_REFUSE, dir, PS_ERR_OUTPUT_EXISTS), 1);
    CHECK(content_is(in_dir(dir, "out"), "1\n"));
    CHECK_INT(entries(dir), 2);
    remove_dir(dir);
    return 0;
}
