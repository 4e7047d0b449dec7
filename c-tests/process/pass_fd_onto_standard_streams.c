/* A passed descriptor may also be asked for as 0, 1 or 2; it then is that stream. */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    int in[2], out[2];
    CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    CHECK_INT(write(in[1], "zero", 4), 4);
    close(in[1]);
    ps_command *command = helper_command("echo_fd", "0", NULL);
    CHECK_OK(ps_command_pass_fd(command, in[0], 0, &error), error);
    CHECK_OK(ps_command_pass_fd(command, out[1], 1, &error), error);
    ps_child *child = spawn_once(NULL, command);
    close(out[1]);
    char *text = read_all(out[0]);
    CHECK_STR(text, "zero");
    free(text);
    reap_and_free(child);
    return 0;
}
