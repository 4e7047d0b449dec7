/* Stream 0 can be one thing only; and whose input is not fed cannot be written to. */
/* variants: none */
#include "feeding.h"

int main(void)
{
    warm_up();
    ps_error *error = NULL;
    size_t written = 7;
    leak_guard guard = leak_guard_begin();
    for (int i = 0; i < 5; i++) {
        ps_command *command = fed(exiting("0"), 10);
        if (i < 3)
            set_stdio(command, 0, ((int[]){PS_STDIO_NULL, PS_STDIO_PIPE, PS_STDIO_FD})[i], 2);
        else if (i == 3)
            CHECK_OK(ps_command_pass_fd(command, 2, 0, &error), error);
        else
            feed(command, "x", 1);
        error = spawn_fails(command, PS_ERR_INVALID_ARGUMENT);
        CHECK_STR(ps_error_step(error), "input_stream");
        ps_error_free(error);
        error = NULL;
        ps_command_free(command);
    }
    ps_command *command = pausing();
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    CHECK_STATUS(ps_child_write(child, "x", 1, &written, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_child_write_end(child, NULL), PS_ERR_STATE);
    kill_and_free(child);

    ps_supervisor *supervisor = new_supervisor(1);
    ps_child *waits;
    child = spawn_once(supervisor, fed(pausing(), 10));
    waits = spawn_once(supervisor, fed(pausing(), 10));
    CHECK_STATUS(ps_child_write(waits, "x", 1, &written, NULL), PS_ERR_STATE); /* it has no process */
    CHECK_STATUS(ps_child_write_end(waits, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_child_write(child, "x", 1, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_child_write(child, NULL, 1, &written, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_child_write(child, "x", SIZE_MAX, &written, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_child_stdio(child, 0, &(int32_t){0}, NULL), PS_ERR_NOT_FOUND);
    CHECK_INT(written, 7);
    ps_supervisor_free(supervisor);
    ps_child_free(child);
    ps_child_free(waits);
    leak_guard_end(&guard);
    return 0;
}
