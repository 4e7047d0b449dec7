/* Faults while a child lives in a control group of its own and leaves a daemon inside: typed errors, nobody left, no directory left. */
/* share: 3 */
/* variants: none */
#include "scenario.h"
#include "containment.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    struct escape escape;
    ps_command *command = escaping("daemon", &escape, 1);
    CHECK_OK(ps_command_stdio(command, 1, PS_STDIO_NULL, -1, &error), error);
    in_cgroup(command, cgroup_path("faulty"));
    CHECK_OK(ps_command_cgroup_set(command, "cgroup.max.depth", "5", &error), error);

    if (argc > 1 && strcmp(argv[1], "warm") == 0)
        warm_up_removal();
    scenario_begin(argc, argv);
    scenario_one_life(command);
    /* A directory that could not be removed is tried again by later calls: the one in scenario_end(), which meets no faults. */
    inject_end();
    CHECK(wait_until((warm_up(), subdirectories(cgroup_root()) == 0), 20000));
    scenario_end();
    CHECK(!exists(cgroup_path("faulty")));
    CHECK_INT(escape_survivors(&escape), 0);
    escape_end(&escape);
    ps_command_free(command);
    return 0;
}
