/* ENOTDIR and ELOOP come through exactly; in a PATH search ENOTDIR is only a place where nothing is. */
/* covers: D-5 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_command *command = command_for("/bin/sh/program", NULL);
    ps_error *error = spawn_fails(command, PS_ERR_NOT_FOUND);
    CHECK_INT(ps_error_errno(error), ENOTDIR);
    CHECK_STR(ps_error_step(error), "exec");
    ps_error_free(error);
    ps_command_free(command);

    const char *dir = temp_dir();
    char link[128];
    snprintf(link, sizeof link, "%s/loop", dir);
    CHECK(symlink(link, link) == 0);
    command = command_for(link, NULL);
    error = spawn_fails(command, PS_ERR_SYSTEM);
    CHECK_INT(ps_error_errno(error), ELOOP);
    ps_error_free(error);
    ps_command_free(command);
    unlink(link);
    rmdir(dir);

    error = NULL;
    command = command_for("sh", "-c", ":", NULL);
    CHECK_OK(ps_command_env(command, "PATH", "/bin/sh:/etc/passwd:/bin", &error), error);
    reap_and_free(spawn_once(NULL, command));
    CHECK(has_no_child());
    return 0;
}
