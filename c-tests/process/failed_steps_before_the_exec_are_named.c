/* What fails in the child before its exec names its own step: chdir, setgroups or setgid or setuid, rlimit. */
/* covers: D-5 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_cwd(command, "/nonexistent/directory", &error), error);
    error = spawn_fails(command, PS_ERR_NOT_FOUND);
    CHECK_INT(ps_error_errno(error), ENOENT);
    CHECK_STR(ps_error_step(error), "chdir");
    CHECK(strstr(ps_error_message(error), "/nonexistent/directory") != NULL);
    ps_error_free(error);
    ps_command_free(command);

    error = NULL;
    command = exiting("0");
    CHECK_OK(ps_command_cwd(command, "/bin/sh", &error), error);
    error = spawn_fails(command, PS_ERR_NOT_FOUND);
    CHECK_INT(ps_error_errno(error), ENOTDIR);
    CHECK_STR(ps_error_step(error), "chdir");
    ps_error_free(error);
    ps_command_free(command);

    if (!variant_is("valgrind")) { /* it keeps the limits of the process for itself */
        error = NULL;
        command = exiting("0");
        CHECK_OK(ps_command_rlimit(command, RLIMIT_NOFILE, 1LL << 40, 1LL << 41, &error), error); /* above fs.nr_open */
        error = spawn_fails(command, PS_ERR_PERMISSION);
        CHECK_INT(ps_error_errno(error), EPERM);
        CHECK_STR(ps_error_step(error), "rlimit");
        ps_error_free(error);
        ps_command_free(command);
    }

    CHECK(has_no_child() && ps_live_count() == 0);
    return 0;
}
