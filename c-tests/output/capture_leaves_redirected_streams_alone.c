/* Only a stream that goes nowhere else is captured; one that is merged goes where the other goes. */
/* variants: all */
#include "harness.h"
#include "children.h"

static void check(int stream, int how, const char *expected)
{
    ps_error *error = NULL;
    char text[100] = "";
    ps_command *command = shell("echo out; echo err >&2", "");
    set_stdio(command, stream, how, -1);
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    ps_child *child = spawn_once(NULL, command);
    reap(child);
    CHECK_OK(ps_child_output(child, text, sizeof text - 1, NULL, &error), error);
    CHECK_STR(text, expected);
    ps_child_free(child);
}

int main(void)
{
    check(1, PS_STDIO_NULL, "err\n");
    check(2, PS_STDIO_NULL, "out\n");
    check(2, PS_STDIO_MERGE, "out\nerr\n");
    return 0;
}
