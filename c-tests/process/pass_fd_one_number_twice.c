/* Two descriptors cannot have the same number in the child: refused by the setter or by the spawn, and nothing is started. */
#include "harness.h"
#include "children.h"

static void check(ps_command *command, ps_status status)
{
    ps_child *child = NULL;
    if (status == PS_OK)
        status = ps_spawn(NULL, command, &child, NULL);
    CHECK_STATUS(status, PS_ERR_INVALID_ARGUMENT);
    CHECK(child == NULL && ps_live_count() == 0 && has_no_child());
    ps_command_free(command);
}

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_pass_fd(command, 2, 9, &error), error);
    check(command, ps_command_pass_fd(command, 1, 9, NULL));

    /* 3 is where the first listening descriptor goes */
    command = exiting("0");
    CHECK_OK(ps_command_pass_fd(command, 2, 3, &error), error);
    check(command, ps_command_listen_fd(command, 1, "name", NULL));

    command = exiting("0");
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    check(command, ps_command_pass_fd(command, 2, 1, NULL));
    return 0;
}
