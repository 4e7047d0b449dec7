/* Stream 0 can be one thing only: a command that says two is refused, the error names input, and nothing is left open. */
#include "outputs.h"

int main(void)
{
    ps_error *error = NULL;
    static const int others[] = {PS_STDIO_NULL, PS_STDIO_PIPE, PS_STDIO_FD};
    warm_up();
    leak_guard guard = leak_guard_begin();
    for (int i = 0; i < 5; i++) {
        ps_command *command = shell("cat", NULL);
        feed(command, "x", i == 4 ? 0 : 1);
        if (i < 3)
            set_stdio(command, 0, others[i], 2);
        else
            CHECK_OK(ps_command_pass_fd(command, 2, 0, &error), error);
        error = spawn_fails(command, PS_ERR_INVALID_ARGUMENT);
        CHECK_STR(ps_error_step(error), "input");
        ps_error_free(error);
        error = NULL;
        if (i < 3) { /* given up, it works */
            set_stdio(command, 0, PS_STDIO_INHERIT, -1);
            CHECK(output_is(command, "x"));
        } else
            ps_command_free(command);
    }
    CHECK_INT(child_count(), 0);
    leak_guard_end(&guard);
    return 0;
}
