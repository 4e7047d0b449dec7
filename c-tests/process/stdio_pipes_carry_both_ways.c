/* PS_STDIO_PIPE for all three streams: what we write is what the child reads, what it writes is what we read. */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_command *command = shell("read line; echo \"out $line\"; echo \"err $line\" >&2", "");
    for (int stream = 0; stream < 3; stream++)
        set_stdio(command, stream, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int in = pipe_end(child, 0), out = pipe_end(child, 1), err = pipe_end(child, 2);
    CHECK_INT(write(in, "hello\n", 6), 6);
    char *text = read_all(out);
    CHECK_STR(text, "out hello\n");
    free(text);
    text = read_all(err);
    CHECK_STR(text, "err hello\n");
    free(text);
    close(in);
    close(out);
    close(err);
    reap_and_free(child);
    return 0;
}
