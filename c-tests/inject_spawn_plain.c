/* Faults in the shortest life of a child: spawn, reap, free. */
/* variants: only tier-clone, tier-fork */
#include "scenario.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_exit ended = {.size = sizeof ended};
    ps_command *command = helper_command("nothing", NULL);

    scenario_begin(argc, argv);
    if (worked(ps_spawn(NULL, command, &child, &error), &error)) {
        if (worked(ps_reap(child, 20000, &ended, &error), &error)) {
            CHECK_INT(ended.kind, PS_EXIT_EXITED);
            CHECK_INT(ended.code, 0);
        }
        ps_child_free(child);
    }
    scenario_end();
    ps_command_free(command);
    return 0;
}
