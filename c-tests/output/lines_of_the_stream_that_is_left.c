/* A stream that goes elsewhere gives no lines, the other one does. With both elsewhere there are none, and that is no error. */
#include "outputs.h"

static void left(int redirected, int how, const char *out, const char *err)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = shell("echo out; echo err >&2", NULL);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (redirected & 1)
        set_stdio(command, 1, how, null);
    if (redirected & 2)
        set_stdio(command, 2, how, null);
    by_lines(command);
    ps_child *child = spawn_once(supervisor, command);
    close(null);
    said all = listen_to(supervisor);
    CHECK_INT(all.exit.code, 0);
    CHECK(said_is(&all, 1, out, strlen(out)));
    CHECK(said_is(&all, 2, err, strlen(err)));
    said_free(&all);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    static const int ways[] = {PS_STDIO_NULL, PS_STDIO_FD, PS_STDIO_PIPE};
    for (int i = 0; i < 3; i++) {
        left(0, ways[i], "out\n", "err\n");
        left(1, ways[i], "", "err\n");
        left(2, ways[i], "out\n", "");
        left(3, ways[i], "", "");
    }
    return 0;
}
