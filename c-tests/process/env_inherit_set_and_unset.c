/* The default environment is the host's at the time of the spawn, with the command's own sets and removals on top. */
/* covers: SC-14, RP-39, RP-42 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    setenv("KEPT", "host", 1);
    setenv("CHANGED", "host", 1);
    setenv("REMOVED", "host", 1);
    ps_command *command = helper_command("show_env", NULL);
    CHECK_OK(ps_command_env(command, "CHANGED", "first", &error), error);
    CHECK_OK(ps_command_env(command, "CHANGED", "child=1", &error), error);
    CHECK_OK(ps_command_env(command, "ADDED", "", &error), error);
    CHECK_OK(ps_command_env(command, "REMOVED", NULL, &error), error);
    CHECK_OK(ps_command_env(command, "NEVER_THERE", NULL, &error), error);
    CHECK_OK(ps_command_env(command, "BACK", NULL, &error), error);
    CHECK_OK(ps_command_env(command, "BACK", "again", &error), error);
    CHECK_OK(ps_command_env(command, "BYTES\xff", "no \xfe\x80 UTF-8", &error), error);
    setenv("LATE", "set after the command was made", 1);

    char *text = output_of(command);
    CHECK_STR(line_after(text, "KEPT="), "host");
    CHECK_STR(line_after(text, "CHANGED="), "child=1");
    CHECK_STR(line_after(text, "ADDED="), "");
    CHECK_STR(line_after(text, "BACK="), "again");
    CHECK_STR(line_after(text, "LATE="), "set after the command was made");
    CHECK_STR(line_after(text, "BYTES\xff="), "no \xfe\x80 UTF-8");
    CHECK(line_after(text, "REMOVED=") == NULL);
    CHECK(strstr(strstr(text, "CHANGED=") + 1, "CHANGED=") == NULL);
    free(text);
    CHECK_STR(getenv("REMOVED"), "host");
    return 0;
}
