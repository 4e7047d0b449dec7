/* A descriptor that is passed, listened on or used as stdio keeps its flags in the host: CLOEXEC here, O_NONBLOCK everywhere. */
/* covers: LAW-1, SC-15 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    int a[2], b[2];
    CHECK(pipe2(a, O_CLOEXEC | O_NONBLOCK) == 0);
    CHECK(pipe(b) == 0);
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_pass_fd(command, a[1], 7, &error), error);
    CHECK_OK(ps_command_pass_fd(command, b[1], 8, &error), error);
    set_stdio(command, 0, PS_STDIO_FD, a[0]);
    set_stdio(command, 1, PS_STDIO_FD, b[1]);
    reap_and_free(spawn_once(NULL, command));

    CHECK(fcntl(a[0], F_GETFD) == FD_CLOEXEC && fcntl(a[1], F_GETFD) == FD_CLOEXEC);
    CHECK(fcntl(b[0], F_GETFD) == 0 && fcntl(b[1], F_GETFD) == 0);
    CHECK(fcntl(a[0], F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(a[1], F_GETFL) & O_NONBLOCK);
    CHECK(!(fcntl(b[0], F_GETFL) & O_NONBLOCK));
    CHECK(!(fcntl(b[1], F_GETFL) & O_NONBLOCK));
    return 0;
}
