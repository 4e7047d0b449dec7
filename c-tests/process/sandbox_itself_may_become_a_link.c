/* When the child replaces its sandbox by a link to another directory, that directory and its files survive. */
/* covers: EV-12 */
#include "harness.h"
#include "children.h"

int main(void)
{
    char outside[64], file[128];
    strcpy(outside, temp_dir());
    snprintf(file, sizeof file, "%s/keep", outside);
    write_file(file, "x", 0600);
    const char *dir = temp_dir();

    ps_error *error = NULL;
    ps_command *command = shell("rmdir \"$SANDBOX\" && ln -s \"$1\" \"$SANDBOX\"", outside);
    CHECK_OK(ps_command_env(command, "SANDBOX", dir, &error), error);
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
    ps_child *child = spawn_once(NULL, command);
    CHECK(reap(child).code == 0);
    ps_child_free(child);

    CHECK(exists(file));
    CHECK(exists(dir)); /* the link is not ours any more */
    unlink(dir);
    unlink(file);
    CHECK(rmdir(outside) == 0);
    return 0;
}
