/* Several children of one command share the sandbox; it is removed once, after the last of them. */
/* covers: LAW-12, EV-12 */
#include "harness.h"
#include "children.h"

int main(void)
{
    const char *dir = temp_dir();
    ps_error *error = NULL;
    ps_command *command = pausing();
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
    ps_child *first = spawn(NULL, command), *second = spawn(NULL, command);
    ps_command_free(command);

    terminate(first, -1);
    CHECK(exists(dir));
    terminate(second, -1);
    CHECK(!exists(dir));

    /* exactly once: a directory of the same name that somebody makes later is not ours */
    CHECK(mkdir(dir, 0700) == 0);
    reap(first);
    reap(second);
    ps_child_free(first);
    ps_child_free(second);
    reap_and_free(spawn_once(NULL, exiting("0")));
    CHECK(exists(dir));
    rmdir(dir);
    return 0;
}
