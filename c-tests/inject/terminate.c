/* Faults while a child is stopped by its stop plan. */
/* variants: only tier-fork: how a child is made in between is swept by spawn_plain and spawn_reap */
#include "scenario.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_exit ended = {.size = sizeof ended};
    ps_command *command = helper_command("pause_forever", NULL);
    CHECK_OK(ps_command_stop_step(command, SIGTERM, 200, &error), error);
    CHECK_OK(ps_command_stop_step(command, SIGKILL, 2000, &error), error);

    scenario_begin(argc, argv);
    if (worked(ps_spawn(NULL, command, &child, &error), &error)) {
        if (worked(ps_terminate(child, -1, &ended, &error), &error)) {
            CHECK_INT(ended.kind, PS_EXIT_SIGNALED);
            /* A kernel that says of signal 0 that it is refused, and delivers SIGTERM all the same: nobody is blamed. */
            CHECK(ended.cause == PS_CAUSE_STOP || (ended.cause == PS_CAUSE_SELF && ended.signal == SIGTERM));
            CHECK(ended.signal == SIGTERM || ended.signal == SIGKILL);
        }
        ps_child_free(child);
    }
    scenario_end();
    ps_command_free(command);
    return 0;
}
