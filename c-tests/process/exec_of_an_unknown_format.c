/* ENOEXEC: a file that no loader knows is not handed to /bin/sh behind the caller's back. */
/* covers: D-5 */
#include "harness.h"
#include "children.h"

int main(void)
{
    const char *dir = temp_dir();
    char file[128];
    snprintf(file, sizeof file, "%s/data", dir);
    write_file(file, "echo this is not a script without its first line\n", 0755);
    for (int i = 0; i < 2; i++) {
        ps_error *error = NULL;
        ps_command *command = command_for(i ? "data" : file, NULL);
        CHECK_OK(ps_command_env(command, "PATH", dir, &error), error);
        error = spawn_fails(command, PS_ERR_SYSTEM);
        CHECK_INT(ps_error_errno(error), ENOEXEC);
        CHECK_STR(ps_error_step(error), "exec");
        ps_error_free(error);
        ps_command_free(command);
    }
    CHECK(has_no_child());
    unlink(file);
    rmdir(dir);
    return 0;
}
