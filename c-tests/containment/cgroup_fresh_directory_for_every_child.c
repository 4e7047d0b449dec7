/* "dir/": every child gets a control group of its own inside; "dir": that one. */
#include "harness.h"
#include "containment.h"

enum { CHILDREN = 12 };

int main(void)
{
    ps_command *command = pausing();
    ps_child *child[CHILDREN];
    char group[CHILDREN][512];
    in_cgroup(command, cgroup_path(""));
    for (int i = 0; i < CHILDREN; i++) {
        child[i] = spawn(NULL, command);
        strcpy(group[i], cgroup_of(pid_of(child[i])));
        for (int other = 0; other < i; other++)
            CHECK(strcmp(group[i], group[other]) != 0);
    }
    CHECK_INT(subdirectories(cgroup_root()), CHILDREN);

    /* a kill in one is nothing to the others */
    kill_and_free(child[0]);
    for (int i = 1; i < CHILDREN; i++)
        CHECK(!is_dead(pid_of(child[i])));
    for (int i = 1; i < CHILDREN; i++)
        kill_and_free(child[i]);
    ps_command_free(command);
    CHECK(wait_until((warm_up(), subdirectories(cgroup_root()) == 0), 20000));

    /* a name that an earlier host has left behind is not taken for ours */
    command = pausing();
    in_cgroup(command, cgroup_path("deep/"));
    ps_error *error = spawn_fails(command, PS_ERR_NOT_FOUND);
    ps_error_free(error);
    ps_command_free(command);
    return 0;
}
