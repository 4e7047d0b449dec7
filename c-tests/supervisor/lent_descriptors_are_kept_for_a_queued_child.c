/* The host closes what it lent to a child in line, and its number becomes another file: the child gets what was lent. */
/* covers: SC-1 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(1);
    ps_child *first = spawn_named(supervisor, pausing(), 1);
    int given[2], output[2], listening[2];
    CHECK(pipe2(given, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0 && pipe2(listening, O_CLOEXEC) == 0);
    CHECK(write(given[1], "the right one", 13) == 13);
    ps_error *error = NULL;
    ps_command *command = name_it(helper_command("echo_fd", "9", NULL), 2);
    CHECK_OK(ps_command_pass_fd(command, given[0], 9, &error), error);
    CHECK_OK(ps_command_listen_fd(command, listening[0], "name", &error), error);
    set_stdio(command, 1, PS_STDIO_FD, output[1]);
    ps_child *child = spawn_once(supervisor, command);
    close(given[1]);
    const int lent[] = {given[0], output[1], listening[0]};
    for (int i = 0; i < 3; i++) {
        int other = open("/dev/full", O_RDWR | O_CLOEXEC);
        CHECK(other >= 0 && dup3(other, lent[i], O_CLOEXEC) == lent[i]);
        close(other);
    }
    kill_and_free(first);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
    char text[64] = "";
    CHECK(readable(output[0], 0) && read(output[0], text, sizeof text - 1) == 13);
    CHECK_STR(text, "the right one");
    ps_supervisor_free(supervisor);
    return 0;
}
