/* What cannot be started fails as a spawn does, with its step; nothing is left, and what was given to the command is its own again. */
/* variants: few */
#include "running.h"

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_command *command = command_for("/no/such/program", NULL);
    int owned = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK_OK(ps_command_own_fd(command, owned, &error), error);
    error = run_fails(command, PATIENCE_MS, 100, PS_ERR_NOT_FOUND);
    CHECK_STR(ps_error_step(error), "exec");
    ps_error_free(error);
    CHECK(fcntl(owned, F_GETFD) >= 0);
    ps_command_free(command);
    CHECK(fcntl(owned, F_GETFD) == -1);

    command = exiting("0");
    CHECK_OK(ps_command_cwd(command, "/no/such/dir", &error), error);
    error = run_fails(command, PATIENCE_MS, 100, PS_ERR_NOT_FOUND);
    CHECK_STR(ps_error_step(error), "chdir");
    ps_error_free(error);
    ps_command_free(command);

    error = NULL;
    command = exiting("0");
    set_stdio(command, 1, PS_STDIO_FD, owned = dup(2));
    close(owned);
    ps_error_free(run_fails(command, PATIENCE_MS, 100, PS_ERR_INVALID_ARGUMENT));
    ps_command_free(command);
    leak_guard_end(&guard);
    return 0;
}
