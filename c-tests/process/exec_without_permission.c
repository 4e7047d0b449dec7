/* EACCES: a file that is not executable, a directory, and a PATH in which nothing else is found. */
/* covers: D-5 */
#include "harness.h"
#include "children.h"

static void check(const char *program, const char *path)
{
    ps_error *error = NULL;
    ps_command *command = command_for(program, NULL);
    if (path)
        CHECK_OK(ps_command_env(command, "PATH", path, &error), error);
    error = spawn_fails(command, PS_ERR_PERMISSION);
    CHECK_INT(ps_error_errno(error), EACCES);
    CHECK_STR(ps_error_step(error), "exec");
    ps_error_free(error);
    ps_command_free(command);
    CHECK(has_no_child());
}

int main(void)
{
    const char *dir = temp_dir();
    char file[128], path[200];
    snprintf(file, sizeof file, "%s/file", dir);
    snprintf(path, sizeof path, "/nonexistent:%s:/nonexistent", dir);
    write_file(file, "#!/bin/sh\n", 0644);
    check(file, NULL);
    check("/", NULL);
    check("/tmp", NULL);
    check("file", path);
    unlink(file);
    rmdir(dir);
    return 0;
}
