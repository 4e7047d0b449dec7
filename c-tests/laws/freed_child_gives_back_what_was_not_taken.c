/* Pipe ends that nobody took are closed with the handle, taken ones are not; the capture goes too. */
/* covers: LAW-12, EV-12 */
#include "harness.h"
#include "children.h"

int main(void)
{
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_error *error = NULL;
    ps_command *command = exiting("0");
    for (int stream = 0; stream < 3; stream++)
        set_stdio(command, stream, PS_STDIO_PIPE, -1);
    ps_child *child = spawn(NULL, command);
    int taken = pipe_end(child, 1);
    int32_t fd = 77;
    CHECK(ps_child_stdio(child, 1, &fd, &error) == PS_ERR_NOT_FOUND);
    ps_error_free(error);
    CHECK(fd == 77);
    CHECK(fcntl(taken, F_GETFD) == FD_CLOEXEC);
    CHECK(!(fcntl(taken, F_GETFL) & O_NONBLOCK));
    reap(child);
    ps_child_free(child);
    CHECK(fcntl(taken, F_GETFD) >= 0);
    close(taken);
    ps_command_free(command);

    command = exiting("0");
    error = NULL;
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    reap_and_free(spawn_once(NULL, command));
    leak_guard_end(&guard);
    return 0;
}
