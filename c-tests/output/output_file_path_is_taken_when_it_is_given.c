/* A relative path counts from the host's directory at the time of the setter: neither a later chdir of the host nor the child's own
   directory changes it. */
#include "outputs.h"

int main(void)
{
    const char *here = new_dir(), *there = new_dir();
    ps_error *error = NULL;
    CHECK_INT(chdir(here), 0);
    ps_command *command = shell("pwd", NULL);
    to_file(command, "relative", PS_OUTPUT_REPLACE);
    CHECK_OK(ps_command_cwd(command, there, &error), error);
    CHECK_INT(chdir("/"), 0);
    reap_and_free(spawn(NULL, command));
    char expected[128];
    snprintf(expected, sizeof expected, "%s\n", there);
    CHECK(content_is(in_dir(here, "relative"), expected));

    CHECK_INT(chdir(there), 0);
    ps_child *child = spawn_once(NULL, command);
    CHECK_INT(chdir("/"), 0);
    reap_and_free(child);
    CHECK_INT(entries(here), 1);
    CHECK_INT(entries(there), 0);
    remove_dir(here);
    remove_dir(there);
    return 0;
}
