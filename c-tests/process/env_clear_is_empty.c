/* PS_ENV_CLEAR: nothing but what the command sets; and the order of the calls does not matter. */
/* covers: RP-42 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("show_env", NULL);
    CHECK_OK(ps_command_env_base(command, PS_ENV_CLEAR, &error), error);
    CHECK(output_is(command, ""));

    command = helper_command("show_env", NULL);
    CHECK_OK(ps_command_env(command, "BEFORE", "1", &error), error);
    CHECK_OK(ps_command_env_base(command, PS_ENV_CLEAR, &error), error);
    CHECK_OK(ps_command_env(command, "AFTER", "2", &error), error);
    char *text = output_of(command);
    CHECK_STR(line_after(text, "BEFORE="), "1");
    CHECK_STR(line_after(text, "AFTER="), "2");
    CHECK_INT(strlen(text), strlen("BEFORE=1\nAFTER=2\n"));
    free(text);
    return 0;
}
