/* One bad entry of a block: refused, by its index and without its words, and the command is as it was. */
/* variants: few */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    static const char *const bad[][4] = {
        {"SECRET", NULL}, {"A=1", "hunter2", NULL}, {"A=1", "B=2", "=hunter2", NULL}, {"", NULL}, {"A=1", "=", NULL}};
    static const char *const says[] = {"entry 0", "entry 1", "entry 2", "entry 0", "entry 1"};
    ps_command *command = helper_command("show_env", NULL);
    CHECK_OK(ps_command_env_base(command, PS_ENV_CLEAR, &error), error);
    CHECK_OK(ps_command_env(command, "A", "kept", &error), error);
    for (int i = 0; i < 5; i++) {
        CHECK_ERROR(ps_command_env_block(command, bad[i], &error), PS_ERR_INVALID_ARGUMENT, &error);
        CHECK_STR(ps_error_step(error), "env_block");
        CHECK(strstr(ps_error_message(error), says[i]) != NULL);
        CHECK(strstr(ps_error_message(error), "hunter2") == NULL && strstr(ps_error_message(error), "SECRET") == NULL);
        ps_error_free(error);
        error = NULL;
    }
    CHECK_STATUS(ps_command_env_block(command, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK(output_is(command, "A=kept\n"));
    return 0;
}
