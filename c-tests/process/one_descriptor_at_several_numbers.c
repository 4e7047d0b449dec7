/* variants: few */
/* One descriptor of the host as several streams of the child, and under its own number besides; and the host's flags stay as they are. */
#include "harness.h"
#include "children.h"

#include <sys/socket.h>

/* The child writes "x" to each of `numbers`; so many arrive, by one socket. */
static void check(unsigned streams, int passed, const char *numbers, const char *expected)
{
    int ends[2];
    ps_error *error = NULL;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    int theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, 40);
    close(ends[1]);
    /* where 0 is the socket: what is read from it is written back by it */
    ps_command *command = shell("case $1 in 0*) read line; echo $line >&0;; esac; for fd in $1; do eval \"echo $fd >&$fd\"; done", numbers);
    for (int stream = 0; stream < 3; stream++)
        if (streams & 1u << stream)
            set_stdio(command, stream, PS_STDIO_FD, theirs);
    if (passed >= 0)
        CHECK_OK(ps_command_pass_fd(command, theirs, passed, &error), error);
    if (streams & 1)
        CHECK_INT(write(ends[0], "in\n", 3), 3);
    ps_child *child = spawn_once(NULL, command);
    CHECK_INT(fcntl(theirs, F_GETFD), FD_CLOEXEC);
    close(theirs);
    char *text = read_all(ends[0]);
    CHECK_STR(text, expected);
    free(text);
    close(ends[0]);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
}

int main(void)
{
    check(1 | 2, -1, "0 1", "in\n0\n1\n");
    check(2 | 4, -1, "1 2", "1\n2\n");
    check(1 | 4, -1, "0 2", "in\n0\n2\n");
    check(1 | 2 | 4, -1, "0 1 2", "in\n0\n1\n2\n");
    check(2, 7, "1 7", "1\n7\n");
    check(1 | 2 | 4, 9, "0 1 2 9", "in\n0\n1\n2\n9\n");

    /* each number once: its own stays besides its streams */
    int fd = fcntl(2, F_DUPFD_CLOEXEC, 60);
    ps_error *error = NULL;
    ps_command *command = helper_command("show_fds", NULL);
    set_stdio(command, 0, PS_STDIO_FD, fd);
    set_stdio(command, 2, PS_STDIO_FD, fd);
    CHECK_OK(ps_command_pass_fds(command, &(int32_t){fd}, NULL, 1, &error), error);
    char expected[64];
    snprintf(expected, sizeof expected, "0 1 2 %d\n", fd);
    CHECK(output_is(command, expected));
    return 0;
}
