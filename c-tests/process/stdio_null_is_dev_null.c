/* PS_STDIO_NULL: reading ends at once, writing goes nowhere, and both are the null device, not closed descriptors. */
/* covers: EV-19, RP-42 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    int p[2];
    CHECK(pipe2(p, O_CLOEXEC) == 0);
    ps_command *command = shell("echo noise && echo noise >&2 && ! read line && targets=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2) && "
                                "echo \"$targets\" >&7", "");
    for (int stream = 0; stream < 3; stream++)
        set_stdio(command, stream, PS_STDIO_NULL, -1);
    CHECK_OK(ps_command_pass_fd(command, p[1], 7, &error), error);
    ps_child *child = spawn_once(NULL, command);
    close(p[1]);
    char *text = read_all(p[0]);
    CHECK_STR(text, "/dev/null\n/dev/null\n/dev/null\n");
    free(text);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
    return 0;
}
