/* LISTEN_FDS: descriptors from 3 on in the order of the calls, LISTEN_PID is the true pid of the child, LISTEN_FDNAMES the names. */
/* covers: D1.10 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    int first[2], second[2], other[2];
    CHECK(pipe2(first, O_CLOEXEC) == 0 && pipe2(second, O_CLOEXEC) == 0 && pipe2(other, O_CLOEXEC) == 0);
    CHECK_INT(write(first[1], "first\n", 6), 6);
    CHECK_INT(write(second[1], "second\n", 7), 7);
    CHECK_INT(write(other[1], "other\n", 6), 6);

    ps_command *command = shell("echo $LISTEN_FDS $LISTEN_FDNAMES; echo $LISTEN_PID $$; read a <&3; read b <&4; read c <&6; echo $a $b $c", "");
    CHECK_OK(ps_command_listen_fd(command, first[0], "http", &error), error);
    CHECK_OK(ps_command_pass_fd(command, other[0], 6, &error), error);
    CHECK_OK(ps_command_listen_fd(command, second[0], "admin", &error), error);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    for (int i = 0; i < 2; i++) {
        ps_child *child = spawn(NULL, command);
        int out = pipe_end(child, 1);
        char line[128], expected[128];
        read_line(out, line, sizeof line);
        CHECK_STR(line, "2 http:admin");
        read_line(out, line, sizeof line);
        snprintf(expected, sizeof expected, "%d %d", pid_of(child), pid_of(child));
        CHECK_STR(line, expected);
        if (i == 0) {
            read_line(out, line, sizeof line);
            CHECK_STR(line, "first second other");
        } else {
            kill(pid_of(child), SIGKILL); /* nothing is left in the pipes for the second one */
        }
        close(out);
        reap_and_free(child);
    }
    ps_command_free(command);
    CHECK(getenv("LISTEN_FDS") == NULL && getenv("LISTEN_PID") == NULL);
    return 0;
}
