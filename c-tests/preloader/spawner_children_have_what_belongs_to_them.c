/* A sandbox directory, an output file, a control group, a watchdog, a deadline: what belongs to a child, or watches it, does so when a spawner
   makes it, and is released with it. The sandbox of one that could not be started stays, its output file never comes. */
/* covers: C15-5, LAW-12 */
/* variants: few */
#include "harness.h"
#include "spawning.h"

#include <sys/stat.h>

static ps_supervisor *supervisor;
static ps_error *error;

static ps_exit run(ps_command *command, ps_status expected)
{
    ps_child *child = spawn(supervisor, command);
    ps_exit end;
    await_end(child, expected, &end);
    ps_child_free(child);
    ps_command_free(command);
    return end;
}

static bool is_there(const char *path)
{
    struct stat found;
    return lstat(path, &found) == 0;
}

int main(void)
{
    char dir[] = "/tmp/procsup-spawner-XXXXXX", file[64], sandbox[64];
    struct stat found;
    warm_up();
    supervisor = spawner_supervisor();
    CHECK(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/output", dir);
    snprintf(sandbox, sizeof sandbox, "%s/box", dir);

    for (int fails = 0; fails < 2; fails++) {
        ps_command *command = fails ? command_for("/nowhere/at/all", NULL) : shell("echo said; touch \"$1\"/box/made", dir);
        CHECK_OK(ps_command_output_file(command, file, PS_OUTPUT_REPLACE, &error), error);
        CHECK(mkdir(sandbox, 0700) == 0);
        CHECK_OK(ps_command_sandbox_dir(command, sandbox, &error), error);
        ps_exit end = run(command, fails ? PS_ERR_NOT_FOUND : PS_OK);
        CHECK(fails || end.code == 0);
        CHECK(fails ? rmdir(sandbox) == 0 : !is_there(sandbox));
        CHECK(is_there(file) == !fails);
        if (!fails)
            CHECK(stat(file, &found) == 0 && found.st_size == 5 && unlink(file) == 0);
    }

    ps_command *silent = helper_command("readily", "notify:READY=1", "pause", NULL);
    CHECK_OK(ps_command_readiness(silent, PS_READY_NOTIFY, NULL, 20000, &error), error);
    CHECK_OK(ps_command_watchdog(silent, 200, &error), error);
    CHECK_INT(run(silent, PS_OK).kind, PS_EXIT_SIGNALED);

    ps_command *late = pausing();
    CHECK_OK(ps_command_deadline(late, 100, &error), error);
    CHECK_INT(run(late, PS_OK).cause, PS_CAUSE_DEADLINE);

    CHECK(rmdir(dir) == 0);
    CHECK(only_the_spawner_is_left());
    ps_supervisor_free(supervisor);
    CHECK(has_no_child());
    return 0;
}
