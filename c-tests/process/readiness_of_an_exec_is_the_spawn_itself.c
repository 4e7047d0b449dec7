/* PS_READY_EXEC is what ps_spawn always waits for; a kind that there is none of is refused. */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_readiness(command, PS_READY_EXEC, NULL, 1000, &error), error);
    CHECK_STATUS(ps_command_readiness(command, 99, NULL, 1000, NULL), PS_ERR_INVALID_ARGUMENT);
    reap_and_free(spawn_once(NULL, command));
    return 0;
}
