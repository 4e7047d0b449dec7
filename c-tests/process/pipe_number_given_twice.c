/* One number of the child can be one thing only: a pipe beside pass_fd or another pipe is refused where it is said, beside listen_fd or
   readiness at the spawn; beyond the hard limit the error says what and where. */
/* variants: none */
#include "harness.h"
#include "children.h"

int main(void)
{
    warm_up();
    ps_error *error = NULL;
    leak_guard guard = leak_guard_begin();
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_pipe(command, 5, PS_PIPE_TO_CHILD, &error), error);
    CHECK_OK(ps_command_pass_fd(command, 2, 6, &error), error);
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(ps_command_pipe(command, 5 + i, PS_PIPE_FROM_CHILD, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_command_pass_fd(command, 2, 5 + i, NULL), PS_ERR_INVALID_ARGUMENT);
    }
    CHECK_OK(ps_command_pass_fd(command, 2, 1, &error), error);
    CHECK_STATUS(ps_command_pipe(command, 1, PS_PIPE_FROM_CHILD, NULL), PS_ERR_INVALID_ARGUMENT);
    reap_and_free(spawn_once(NULL, command));

    command = exiting("0");
    CHECK_OK(ps_command_pipe(command, 3, PS_PIPE_TO_CHILD, &error), error);
    CHECK_OK(ps_command_listen_fd(command, 2, NULL, &error), error);
    error = spawn_fails(command, PS_ERR_INVALID_ARGUMENT);
    CHECK_STR(ps_error_step(error), "pipe");
    ps_error_free(error);
    error = NULL;
    ps_command_free(command);

    command = exiting("0");
    CHECK_OK(ps_command_pipe(command, 3, PS_PIPE_TO_CHILD, &error), error);
    CHECK_OK(ps_command_readiness(command, PS_READY_FD, "3", 1000, &error), error);
    error = spawn_fails(command, PS_ERR_INVALID_ARGUMENT);
    CHECK_STR(ps_error_step(error), "readiness");
    ps_error_free(error);
    error = NULL;
    ps_command_free(command);

    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_max < 1 << 20) {
        command = exiting("0");
        CHECK_OK(ps_command_pipe(command, (1 << 20) - 1, PS_PIPE_TO_CHILD, &error), error);
        error = spawn_fails(command, PS_ERR_LIMIT);
        CHECK(strstr(ps_error_message(error), "a pipe cannot be 1048575") != NULL);
        ps_error_free(error);
        ps_command_free(command);
    }
    leak_guard_end(&guard);
    return 0;
}
