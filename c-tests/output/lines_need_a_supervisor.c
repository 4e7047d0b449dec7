/* Without a supervisor there is nobody who could take a line: refused, and the error names the setting. Switched off again it runs. */
#include "outputs.h"

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = shell("", NULL);
    by_lines(command);
    error = spawn_fails(command, PS_ERR_INVALID_ARGUMENT);
    CHECK_STR(ps_error_step(error), "output_lines");
    ps_error_free(error);
    error = NULL;
    CHECK_INT(child_count(), 0);
    CHECK_OK(ps_command_output_lines(command, 0, &error), error);
    reap_and_free(spawn_once(NULL, command));
    return 0;
}
