/* A command that says itself when its child is ready is waited for by that, and not by a connection; a daemon that closes the descriptor first, with all
   others, is an error at once. */
/* covers: C13-6, CO-s6-20 */
#include "once.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    once_begin();
    ps_command *command = once_command("close-all", "silent", NULL);
    CHECK_OK(ps_command_readiness(command, PS_READY_FD, "3", -1, &error), error);
    CHECK_ERROR(once_start(command, -1, &child, &error), PS_ERR_PROTOCOL, &error);
    CHECK_STR(ps_error_step(error), "ready");
    ps_error_free(error);
    error = NULL;
    CHECK_INT(once_running(NULL), 0);
    ps_command_free(command);
    command = once_command("ready", "silent", NULL);
    CHECK_OK(ps_command_readiness(command, PS_READY_FD, "3", -1, &error), error);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    CHECK(!once_accepts());
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    ps_command_free(command);
    once_end();
    return 0;
}
