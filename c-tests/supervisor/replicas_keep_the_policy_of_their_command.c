/* A command that says when to restart keeps its word in a pool: on failure only. */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    static event_log log;
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(0);
    ps_command *command = giving_up_after(restarting(name_it(pausing(), 1), PS_RESTART_ON_FAILURE, 0, 0), 2);
    ps_child *child[2];
    CHECK_OK(ps_spawn_replicas(supervisor, command, 2, child, &error), error);
    ps_command_free(command);
    take_until(supervisor, &log, PS_EVENT_STARTED, 1, 2);
    kill(pid_of(child[0]), SIGKILL);
    take_until(supervisor, &log, PS_EVENT_STARTED, 1, 3);
    kill(pid_of(child[0]), SIGKILL);
    take_until(supervisor, &log, PS_EVENT_GAVE_UP, 1, 1);
    CHECK_INT(reap(child[0]).signal, SIGKILL);
    CHECK_INT(state_of(child[1]), PS_STATE_RUNNING);
    CHECK_INT(terminate(child[1], -1).cause, PS_CAUSE_STOP);
    ps_child_free(child[1]);
    ps_child_free(child[0]);
    ps_supervisor_free(supervisor);
    return 0;
}
