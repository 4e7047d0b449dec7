/* PS_STDIO_MERGE: descriptor 2 is descriptor 1, one stream in the order written, whatever descriptor 1 is. */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_command *command = shell("echo one; echo two >&2; echo three", "");
    set_stdio(command, 2, PS_STDIO_MERGE, -1);
    char *text = output_of(command);
    CHECK_STR(text, "one\ntwo\nthree\n");
    free(text);

    /* into a descriptor of the caller's */
    int p[2];
    CHECK(pipe2(p, O_CLOEXEC) == 0);
    command = shell("echo one; echo two >&2", "");
    set_stdio(command, 2, PS_STDIO_MERGE, -1);
    set_stdio(command, 1, PS_STDIO_FD, p[1]);
    reap_and_free(spawn_once(NULL, command));
    close(p[1]);
    text = read_all(p[0]);
    CHECK_STR(text, "one\ntwo\n");
    free(text);

    /* into a passed descriptor that becomes the output */
    ps_error *error = NULL;
    CHECK(pipe2(p, O_CLOEXEC) == 0);
    command = shell("echo one; echo two >&2", "");
    set_stdio(command, 2, PS_STDIO_MERGE, -1);
    CHECK_OK(ps_command_pass_fd(command, p[1], 1, &error), error);
    reap_and_free(spawn_once(NULL, command));
    close(p[1]);
    text = read_all(p[0]);
    CHECK_STR(text, "one\ntwo\n");
    free(text);

    /* only error goes into output */
    command = exiting("0");
    CHECK_STATUS(ps_command_stdio(command, 1, PS_STDIO_MERGE, -1, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_stdio(command, 0, PS_STDIO_MERGE, -1, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_command_free(command);
    return 0;
}
