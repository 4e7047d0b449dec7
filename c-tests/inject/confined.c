/* Faults while a child is made that is bound to processors, to a policy and to paths: typed errors, and no descriptor left. */
/* share: 4 */
/* variants: none */
#include "scenario.h"
#include "landlocked.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("nothing", NULL);
    if (landlock_abi() == 0)
        SKIP("this kernel has no Landlock, or it is off");
    CHECK_OK(ps_command_affinity(command, (const uint32_t[]){0, 1}, 2, &error), error);
    CHECK_OK(ps_command_scheduling(command, PS_SCHED_BATCH, 0, &error), error);
    allow(command, HELPER_DIR, PS_ALLOW_EXECUTE);
    allow(command, "/dev/null", PS_ALLOW_READ | PS_ALLOW_WRITE);

    scenario_begin(argc, argv);
    scenario_one_life(command);
    scenario_end();
    ps_command_free(command);
    return 0;
}
