/* The working directory of the child; a relative program is found from there, not from ours. */
/* covers: EV-19, RP-39 */
#include "harness.h"
#include "children.h"

int main(void)
{
    const char *dir = temp_dir();
    char script[128];
    snprintf(script, sizeof script, "%s/here", dir);
    write_file(script, "#!/bin/sh\npwd -P\n", 0700);

    ps_error *error = NULL;
    ps_command *command = shell("pwd -P", "");
    CHECK_OK(ps_command_cwd(command, "/", &error), error);
    CHECK(output_is(command, "/\n"));

    char expected[128];
    snprintf(expected, sizeof expected, "%s\n", dir);
    command = command_for("./here", NULL);
    CHECK_OK(ps_command_cwd(command, dir, &error), error);
    CHECK(output_is(command, expected));
    unlink(script);
    rmdir(dir);
    return 0;
}
