/* Faults in a spawn whose child is given an oom_score_adj, ignored signals, the mask of its host and a group that is there. */
/* share: 3 */
/* variants: only tier-clone, tier-fork */
#include "scenario.h"

int main(int argc, char **argv)
{
    const int32_t ignored[] = {SIGHUP, SIGPIPE};
    ps_error *error = NULL;
    ps_command *command = helper_command("nothing", NULL);
    CHECK_OK(ps_command_oom_score_adj(command, 1000, &error), error);
    CHECK_OK(ps_command_keep_ignored(command, ignored, 2, &error), error);
    CHECK_OK(ps_command_keep_mask(command, 1, &error), error);
    CHECK_OK(ps_command_process_group(command, getpgrp(), &error), error);

    scenario_begin(argc, argv);
    scenario_one_life(command);
    scenario_end();
    ps_command_free(command);
    return 0;
}
