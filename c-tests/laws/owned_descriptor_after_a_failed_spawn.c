/* A failed spawn leaves an owned descriptor with the command: the next spawn can use it, or the free closes it, once. */
/* covers: LAW-12, EV-12 */
#include "harness.h"
#include "children.h"

int main(void)
{
    warm_up();
    ps_error *error = NULL;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ps_command *command = command_for("/nonexistent/program", NULL);
    CHECK_OK(ps_command_own_fd(command, fd, &error), error);
    ps_error_free(spawn_fails(command, PS_ERR_NOT_FOUND));
    CHECK(fcntl(fd, F_GETFD) >= 0);
    ps_command_free(command);
    CHECK(fcntl(fd, F_GETFD) == -1);

    /* the child does not get it */
    char number[16];
    fd = open("/dev/null", O_RDONLY);
    snprintf(number, sizeof number, "%d", fd);
    command = helper_command("echo_fd", number, NULL);
    CHECK_OK(ps_command_own_fd(command, fd, &error), error);
    ps_child *stranger = spawn_once(NULL, command);
    CHECK_INT(reap(stranger).code, 2);
    CHECK(fcntl(fd, F_GETFD) == -1);
    ps_child_free(stranger);

    /* never spawned at all */
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    command = exiting("0");
    CHECK_OK(ps_command_own_fd(command, fd, &error), error);
    ps_command_free(command);
    CHECK(fcntl(fd, F_GETFD) == -1);

    /* spawned twice: it went with the first child, and a number that was reused since is not ours */
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    command = exiting("0");
    CHECK_OK(ps_command_own_fd(command, fd, &error), error);
    ps_child *first = spawn(NULL, command), *second = spawn(NULL, command);
    reap(first);
    CHECK(fcntl(fd, F_GETFD) == -1);
    CHECK(dup3(2, fd, O_CLOEXEC) == fd);
    reap(second);
    ps_command_free(command);
    ps_child_free(first);
    ps_child_free(second);
    CHECK(fcntl(fd, F_GETFD) >= 0);
    close(fd);

    /* the first child's, whichever ends first */
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    command = pausing();
    CHECK_OK(ps_command_own_fd(command, fd, &error), error);
    first = spawn(NULL, command), second = spawn(NULL, command);
    ps_command_free(command);
    kill_and_free(second);
    CHECK(fcntl(fd, F_GETFD) >= 0);
    kill_and_free(first);
    CHECK(fcntl(fd, F_GETFD) == -1);
    return 0;
}
