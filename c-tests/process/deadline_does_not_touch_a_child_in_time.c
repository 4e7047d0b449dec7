/* A child that ends before its deadline is simply a child that ended. */
/* covers: EV-18 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = exiting("9");
    CHECK_OK(ps_command_deadline(command, 3600000, &error), error);
    ps_child *child = spawn_once(NULL, command);
    ps_exit end = reap(child);
    CHECK(end.kind == PS_EXIT_EXITED && end.code == 9 && end.cause == PS_CAUSE_SELF);
    ps_child_free(child);

    command = pausing();
    CHECK(ps_command_deadline(command, -5, NULL) == PS_ERR_INVALID_ARGUMENT);
    ps_command_free(command);
    return 0;
}
