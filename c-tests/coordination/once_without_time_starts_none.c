/* Who gives no time asks whether one runs: none is started that would be killed at once, nor is an attempt taken. What is ready by its exec needs no
   time, and is started. */
/* covers: C13-6 */
/* variants: few */
#include "harness.h"

#include "once.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    once_begin();
    ps_command *command = once_command(NULL);
    for (int i = 0; i < 3; i++) {
        CHECK_ERROR(once_start(command, 0, &child, &error), PS_ERR_TIMEOUT, &error);
        CHECK_STR(ps_error_step(error), "spawn");
        ps_error_free(error);
        error = NULL;
        CHECK(child == NULL);
        CHECK_INT(once_starts(), 0);
        CHECK_INT(once_running(NULL), 0);
    }
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    ps_child *none = NULL;
    CHECK_OK(once_start(command, 0, &none, &error), error);
    CHECK(none == NULL);
    CHECK_INT(once_starts(), 1);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    CHECK_OK(ps_command_readiness(command, PS_READY_EXEC, NULL, 0, &error), error);
    CHECK_OK(once_start(command, 0, &child, &error), error);
    CHECK(child != NULL);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    ps_command_free(command);
    once_end();
    return 0;
}
