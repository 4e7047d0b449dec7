/* The child owns its sandbox and may have put links into it; what they point at is not ours to remove. */
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
    ps_command *command = shell("cd \"$SANDBOX\" && ln -s \"$1\" link && ln -s \"$1/keep\" file && ln -s missing dangling && "
                                "mkdir deep && ln -s \"$1\" deep/link", outside);
    CHECK_OK(ps_command_env(command, "SANDBOX", dir, &error), error);
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
    ps_child *child = spawn_once(NULL, command);
    CHECK(reap(child).code == 0);

    CHECK(!exists(dir));
    CHECK(exists(file));
    ps_child_free(child);
    unlink(file);
    CHECK(rmdir(outside) == 0);
    return 0;
}
