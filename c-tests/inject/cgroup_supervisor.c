/* Faults while a supervisor ends children in control groups of their own that leave somebody inside. */
/* variants: none */
/* share: 7 */
#include "scenario.h"
#include "containment.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_child *child[2] = {NULL, NULL};
    ps_exit ended = {.size = sizeof ended};
    struct escape escape[2];
    ps_command *command[2];
    for (int i = 0; i < 2; i++) {
        command[i] = escaping("session", &escape[i], 0);
        CHECK_OK(ps_command_stdio(command[i], 1, PS_STDIO_NULL, -1, &error), error);
        CHECK_OK(ps_command_stop_step(command[i], SIGTERM, 200, &error), error);
        CHECK_OK(ps_command_stop_step(command[i], SIGKILL, 2000, &error), error);
        in_cgroup(command[i], cgroup_path(""));
    }

    if (argc > 1 && strcmp(argv[1], "warm") == 0)
        warm_up_removal();
    scenario_begin(argc, argv);
    if (worked(ps_supervisor_new(&supervisor, &error), &error)) {
        for (int i = 0; i < 2; i++)
            worked(ps_spawn(supervisor, command[i], &child[i], &error), &error);
        if (child[0] && worked(ps_terminate(child[0], -1, &ended, &error), &error))
            CHECK_INT(ended.kind, PS_EXIT_SIGNALED);
        ps_supervisor_free(supervisor);
        for (int i = 0; i < 2; i++)
            ps_child_free(child[i]);
    }
    /* A directory that could not be removed is tried again by later calls, less and less often. */
    inject_end();
    CHECK(wait_until(cgroups_are_empty(), 20000));
    CHECK(wait_until((warm_up(), subdirectories(cgroup_root()) == 0), 20000));
    scenario_end();
    for (int i = 0; i < 2; i++) {
        CHECK_INT(escape_survivors(&escape[i]), 0);
        escape_end(&escape[i]);
        ps_command_free(command[i]);
    }
    return 0;
}
