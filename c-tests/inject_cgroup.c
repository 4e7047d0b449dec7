/* Faults while a child lives in a control group of its own and leaves a daemon inside: typed errors, nobody left, no directory left. */
/* variants: none */
#include "scenario.h"
#include "containment.h"

/* Whether a directory can be removed at once is a matter of luck: so the list of those that cannot has been used before. */
static void warm_up_removal(void)
{
    struct escape escape;
    ps_error *error = NULL;
    ps_command *command = escaping("daemon", &escape, 1);
    in_cgroup(command, cgroup_path("first"));
    CHECK_OK(ps_command_survivors(command, PS_SURVIVORS_LEAVE, &error), error);
    reap_and_free(spawn_escape(NULL, command, &escape));
    escape_end(&escape);
    CHECK(wait_until((warm_up(), subdirectories(cgroup_root()) == 0), 20000));
}

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_exit ended = {.size = sizeof ended};
    struct escape escape;
    ps_command *command = escaping("daemon", &escape, 1);
    CHECK_OK(ps_command_stdio(command, 1, PS_STDIO_NULL, -1, &error), error);
    in_cgroup(command, cgroup_path("faulty"));
    CHECK_OK(ps_command_cgroup_set(command, "cgroup.max.depth", "5", &error), error);

    if (argc > 1 && strcmp(argv[1], "warm") == 0)
        warm_up_removal();
    scenario_begin(argc, argv);
    if (worked(ps_spawn(NULL, command, &child, &error), &error)) {
        if (worked(ps_reap(child, 20000, &ended, &error), &error)) {
            CHECK_INT(ended.kind, PS_EXIT_EXITED);
            CHECK_INT(ended.code, 0);
        }
        ps_child_free(child);
    }
    /* A directory that could not be removed is tried again by later calls: the one in scenario_end(), which meets no faults. */
    inject_end();
    CHECK(wait_until((warm_up(), subdirectories(cgroup_root()) == 0), 5000));
    scenario_end();
    CHECK(!exists(cgroup_path("faulty")));
    CHECK_INT(escape_survivors(&escape), 0);
    escape_end(&escape);
    ps_command_free(command);
    return 0;
}
