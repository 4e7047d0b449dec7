/* Failures count in a row: a run that lasts healthy_ms, or exits with 0 and is no early exit, starts the count anew. */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    static event_log log;
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(0);
    ps_command *command = name_it(restarting(exiting("1"), PS_RESTART_ON_FAILURE, 0, 0), 1);
    CHECK_OK(ps_command_restart_limit(command, 2, 0, &error), error); /* every run is long enough */
    ps_child *child = spawn_once(supervisor, command);
    take_until(supervisor, &log, PS_EVENT_RESTARTING, 1, 20);
    CHECK_INT(logged(&log, PS_EVENT_GAVE_UP, 1), 0);
    CHECK_STATUS(ps_terminate(child, 0, NULL, NULL), PS_OK);
    ps_child_free(child);

    char path[128];
    snprintf(path, sizeof path, "%s/count", temp_dir());
    /* fails twice, succeeds, fails twice, succeeds, ...: never three times in a row */
    command = shell("n=$(cat \"$1\" 2>/dev/null || echo 1); echo $((n+1)) > \"$1\"; test $((n % 3)) = 0", path);
    child = spawn_named(supervisor, short_by_nature(giving_up_after(restarting(command, PS_RESTART_ALWAYS, 0, 0), 3)), 2);
    take_until(supervisor, &log, PS_EVENT_RESTARTING, 2, 9);
    CHECK_INT(logged(&log, PS_EVENT_GAVE_UP, 2), 0);
    CHECK_STATUS(ps_terminate(child, 0, NULL, NULL), PS_OK);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    unlink(path);
    *strrchr(path, '/') = 0;
    rmdir(path);
    return 0;
}
