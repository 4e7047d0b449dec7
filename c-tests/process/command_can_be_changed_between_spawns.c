/* A command is a description: a running child does not notice that it is changed or freed, the next spawn does. */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("show_args", "a", NULL);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *first = spawn(NULL, command);
    CHECK_OK(ps_command_arg(command, "b", &error), error);
    CHECK_OK(ps_command_arg0(command, "x", &error), error);
    ps_child *second = spawn(NULL, command);
    ps_command_free(command);

    int fd = pipe_end(first, 1);
    char *text = read_all(fd);
    CHECK(strstr(text, "\na\n") != NULL && strstr(text, "\nb\n") == NULL);
    free(text);
    close(fd);
    fd = pipe_end(second, 1);
    text = read_all(fd);
    CHECK_STR(text, "x\na\nb\n");
    free(text);
    close(fd);
    reap_and_free(first);
    reap_and_free(second);
    return 0;
}
