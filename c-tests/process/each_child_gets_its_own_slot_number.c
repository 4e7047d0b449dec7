/* Numbering the slots is a matter of one variable per child; the host's environment stays as it was. */
/* covers: EV-22 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    unsetenv("TEST_ENV_NUMBER");
    const char *number[3] = {"", "2", "3"};
    for (int i = 0; i < 3; i++) {
        ps_command *command = shell("echo \"[$TEST_ENV_NUMBER]\"", "");
        CHECK_OK(ps_command_env(command, "TEST_ENV_NUMBER", number[i], &error), error);
        char expected[16];
        snprintf(expected, sizeof expected, "[%s]\n", number[i]);
        CHECK(output_is(command, expected));
    }
    CHECK(getenv("TEST_ENV_NUMBER") == NULL);
    return 0;
}
