/* PS_STDIO_FD: any open descriptor of ours for any stream, also crossed over, and looked up at the time of the spawn. */
#include "harness.h"
#include "children.h"

int main(void)
{
    int in[2], out[2];
    CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    ps_command *command = helper_command("echo_fd", "0", NULL);
    set_stdio(command, 0, PS_STDIO_FD, in[0]);
    set_stdio(command, 1, PS_STDIO_FD, out[1]);
    ps_child *child = spawn_once(NULL, command);
    close(out[1]);
    CHECK_INT(write(in[1], "through", 7), 7);
    close(in[0]);
    close(in[1]);
    char *text = read_all(out[0]);
    CHECK_STR(text, "through");
    free(text);
    close(out[0]);
    reap_and_free(child);

    /* 1 and 2 exchanged: the child's output is our error stream and the other way round */
    CHECK(pipe2(out, O_CLOEXEC) == 0 && pipe2(in, O_CLOEXEC) == 0);
    int saved[2] = {dup(1), dup(2)};
    dup2(out[1], 1);
    dup2(in[1], 2);
    command = shell("echo output; echo error >&2", "");
    set_stdio(command, 1, PS_STDIO_FD, 2);
    set_stdio(command, 2, PS_STDIO_FD, 1);
    child = spawn_once(NULL, command);
    dup2(saved[0], 1);
    dup2(saved[1], 2);
    close(out[1]);
    close(in[1]);
    text = read_all(out[0]);
    CHECK_STR(text, "error\n");
    free(text);
    text = read_all(in[0]);
    CHECK_STR(text, "output\n");
    free(text);
    reap_and_free(child);
    return 0;
}
