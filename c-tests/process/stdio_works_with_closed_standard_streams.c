/* A daemon has closed 0, 1 and 2. The pipe ends and pidfds made then get exactly these numbers in the host; the child's streams
   must still be right, for every choice of stdio, and INHERIT then means closed. */
/* covers: P13 */
#include "harness.h"
#include "children.h"

static int keep; /* the pipe back to the test, well above the standard streams */

static void say(const char *text) { CHECK_INT(write(keep, text, strlen(text)), (ssize_t)strlen(text)); }

static int closed; /* a bit for each */

static void body(void)
{
    for (int stream = 0; stream < 3; stream++)
        if (closed & 1 << stream)
            close(stream);
    ps_command *command = shell("read line; echo \"out $line\"; echo \"err $line\" >&2", "");
    for (int stream = 0; stream < 3; stream++)
        set_stdio(command, stream, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int in = pipe_end(child, 0), out = pipe_end(child, 1), err = pipe_end(child, 2);
    CHECK_INT(write(in, "hello\n", 6), 6);
    char *text = read_all(out);
    say(text);
    free(text);
    text = read_all(err);
    say(text);
    free(text);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
    close(in);
    close(out);
    close(err);

    command = shell("echo merged; echo too >&2; read line || echo end", "");
    set_stdio(command, 0, PS_STDIO_NULL, -1);
    set_stdio(command, 1, PS_STDIO_FD, keep);
    set_stdio(command, 2, PS_STDIO_MERGE, -1);
    child = spawn_once(NULL, command);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);

    ps_error *error = NULL;
    command = shell("echo captured; echo too >&2", "");
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    child = spawn_once(NULL, command);
    reap(child);
    char bytes[100] = "";
    size_t needed = 0;
    CHECK_OK(ps_child_output(child, bytes, sizeof bytes - 1, &needed, &error), error);
    say(bytes);
    ps_child_free(child);

    if (closed != 7)
        return;
    command = helper_command("show_fds", NULL);
    set_stdio(command, 1, PS_STDIO_FD, keep);
    child = spawn_once(NULL, command);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
}

int main(void)
{
    int report[2];
    CHECK(pipe2(report, O_CLOEXEC) == 0);
    keep = fcntl(report[1], F_DUPFD_CLOEXEC, 100);
    for (closed = 1; closed <= 7; closed++)
        in_forked_process(body);
    close(report[1]);
    close(keep);
    char *text = read_all(report[0]);
#define SAID "out hello\nerr hello\nmerged\ntoo\nend\ncaptured\ntoo\n"
    CHECK_STR(text, SAID SAID SAID SAID SAID SAID SAID "1\n");
    free(text);
    return 0;
}
