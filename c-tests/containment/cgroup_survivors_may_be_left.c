/* PS_SURVIVORS_LEAVE: who is in the control group when the child ends is left alone, and so is the directory; it goes by a later call, once
   it is empty. */
#include "harness.h"
#include "containment.h"

int main(void)
{
    const char *path = cgroup_path("left");
    struct escape escape;
    ps_error *error = NULL;
    for (int with = 0; with < 2; with++) {
        ps_supervisor *supervisor = with ? supervisor_new() : NULL;
        ps_command *command = escaping("daemon", &escape, 1);
        in_cgroup(command, path);
        CHECK_OK(ps_command_survivors(command, PS_SURVIVORS_LEAVE, &error), error);
        ps_child *child = spawn_escape(supervisor, command, &escape);
        reap_and_free(child);
        ps_supervisor_free(supervisor);
        CHECK_INT(escape_survivors(&escape), 1);
        warm_up();
        CHECK(exists(path));
        CHECK_INT(escape_survivors(&escape), 1);
        escape_end(&escape);
        CHECK(wait_until(cgroup_gone(path), 20000));
    }

    /* a stop asks everybody all the same */
    ps_command *command = escaping("daemon", &escape, 0);
    in_cgroup(command, path);
    CHECK_OK(ps_command_survivors(command, PS_SURVIVORS_LEAVE, &error), error);
    ps_child *child = spawn_escape(NULL, command, &escape);
    terminate(child, -1);
    ps_child_free(child);
    CHECK_INT(escape_survivors(&escape), 0);
    escape_end(&escape);
    CHECK(wait_until(cgroup_gone(path), 20000));
    return 0;
}
