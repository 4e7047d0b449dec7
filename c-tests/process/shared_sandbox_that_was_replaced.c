/* Two children of one command, and between their spawns somebody has put another directory in the place of their sandbox: each directory goes
   with the last child that was given it, in whatever order they end. */
/* covers: LAW-12, F22 */
#include "harness.h"
#include "children.h"

int main(void)
{
    const char *dir = temp_dir();
    ps_error *error = NULL;
    for (int first_ends_first = 0; first_ends_first < 2; first_ends_first++) {
        ps_command *command = pausing();
        CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
        ps_child *of_the_first = spawn(NULL, command);
        CHECK(rmdir(dir) == 0 && mkdir(dir, 0700) == 0);
        ps_child *of_the_second = spawn(NULL, command);
        ps_command_free(command);
        if (first_ends_first) {
            terminate(of_the_first, -1);
            CHECK(exists(dir));
        }
        CHECK_INT(terminate(of_the_second, -1).removal, PS_OK);
        CHECK(!exists(dir));
        CHECK(mkdir(dir, 0700) == 0); /* and nobody's any more */
        if (!first_ends_first)
            CHECK_INT(terminate(of_the_first, -1).removal, PS_OK);
        CHECK(exists(dir));
        ps_child_free(of_the_first);
        ps_child_free(of_the_second);
    }
    CHECK(rmdir(dir) == 0);
    return 0;
}
