/* A spawn that fails leaves no control group, whatever its step. */
#include "harness.h"
#include "containment.h"

static void fails(ps_command *command, ps_status status, const char *step)
{
    in_cgroup(command, cgroup_path("never"));
    for (int i = 0; i < 20; i++) {
        ps_error *error = spawn_fails(command, status);
        CHECK_STR(ps_error_step(error), step);
        ps_error_free(error);
        CHECK(!exists(cgroup_path("never")));
    }
    ps_command_free(command);
}

int main(void)
{
    ps_error *error = NULL;
    cgroup_root();
    warm_up();
    leak_guard guard = leak_guard_begin();

    fails(command_for("/nonexistent/program", NULL), PS_ERR_NOT_FOUND, "exec");

    ps_command *command = pausing();
    CHECK_OK(ps_command_cwd(command, "/nonexistent", &error), error);
    fails(command, PS_ERR_NOT_FOUND, "chdir");

    command = command_for("/etc/passwd", NULL);
    fails(command, PS_ERR_PERMISSION, "exec");

    leak_guard_end(&guard);
    CHECK_INT(subdirectories(cgroup_root()), 0);
    return 0;
}
