/* A child that is started again: each run has an input of its own; what waited for the run that ended is dropped, and said to be over. */
/* variants: none */
#include "feeding.h"

int main(void)
{
    static event_log log;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = short_by_nature(restarting(fed(shell("read line; echo \"$line\"; exec sleep 1000", NULL), 1000), PS_RESTART_ALWAYS, 1, 1));
    by_lines(command);
    ps_child *child = spawn_once(supervisor, command);
    for (int run = 1; run <= 3; run++) {
        char line[32], said[32];
        size_t needed = 0;
        take_until(supervisor, &log, PS_EVENT_STARTED, 0, run);
        CHECK_INT(give(child, line, (size_t)snprintf(line, sizeof line, "run %d\n", run)), 6);
        CHECK(fill(child) > 1000);
        do
            take_all(supervisor, &log);
        while (logged(&log, PS_EVENT_OUTPUT, 0) < run);
        CHECK_STATUS(ps_event_data(supervisor, said, sizeof said, &needed, NULL), PS_OK);
        CHECK(needed == 5 && strncmp(said, line, 5) == 0);
        CHECK(kill(pid_of(child), SIGKILL) == 0);
        take_until(supervisor, &log, PS_EVENT_EXITED, 0, run);
    }
    take_until(supervisor, &log, PS_EVENT_STARTED, 0, 4);
    terminate(child, 0);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
