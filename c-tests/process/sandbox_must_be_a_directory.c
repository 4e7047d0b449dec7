/* A sandbox that is not an existing directory is refused, by the setter or by the spawn, and nothing is removed or started. */
/* covers: EV-9 */
#include "harness.h"
#include "children.h"

int main(void)
{
    char file[128], link[128];
    const char *dir = temp_dir();
    snprintf(file, sizeof file, "%s/file", dir);
    write_file(file, "x", 0600);
    snprintf(link, sizeof link, "%s-link", dir);
    CHECK(symlink(dir, link) == 0);
    const char *const bad[] = {"/nonexistent/directory", file, link};
    for (int i = 0; i < 3; i++) {
        ps_command *command = exiting("0");
        ps_child *child = NULL;
        ps_error *error = NULL;
        CHECK_OK(ps_command_sandbox_dir(command, bad[i], &error), error);
        CHECK_ERROR(ps_spawn(NULL, command, &child, &error), PS_ERR_NOT_FOUND, &error);
        CHECK_STR(ps_error_step(error), "sandbox_dir");
        ps_error_free(error);
        CHECK(child == NULL);
        CHECK(ps_live_count() == 0 && has_no_child());
        ps_command_free(command);
    }
    CHECK(exists(file));
    unlink(link);
    ps_command *refused = exiting("0");
    CHECK_STATUS(ps_command_sandbox_dir(refused, "/", NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_sandbox_dir(refused, "/tmp/../tmp", NULL), PS_ERR_INVALID_ARGUMENT);
    ps_command_free(refused);

    /* a spawn that fails for another reason leaves the sandbox alone; one whose sandbox is gone fails */
    ps_error *error = NULL;
    ps_command *command = command_for("/nonexistent/program", NULL);
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
    ps_error_free(spawn_fails(command, PS_ERR_NOT_FOUND));
    CHECK(exists(file));
    ps_command_free(command);
    CHECK(exists(file)); /* it goes with a child only */
    command = exiting("0");
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
    unlink(file);
    rmdir(dir);
    ps_error_free(spawn_fails(command, PS_ERR_NOT_FOUND));
    ps_command_free(command);
    CHECK(mkdir(dir, 0700) == 0);
    write_file(file, "x", 0600);
    unlink(file);
    rmdir(dir);
    return 0;
}
