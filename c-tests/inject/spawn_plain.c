/* Faults in the shortest life of a child: spawn, reap, free. */
/* variants: only tier-clone, tier-fork */
#include "scenario.h"

int main(int argc, char **argv)
{
    ps_command *command = helper_command("nothing", NULL);

    scenario_begin(argc, argv);
    scenario_one_life(command);
    scenario_end();
    ps_command_free(command);
    return 0;
}
