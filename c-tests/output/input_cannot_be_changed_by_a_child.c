/* A child that writes to its input gets an error: it is open for reading only, and sealed, so that opening it anew or cutting it does
   not help either. The next child finds it as it was. */
#include "outputs.h"

int main(void)
{
    ps_command *command = shell("(echo bad >&0) 2>/dev/null && exit 1\n"
                                "(echo bad >/proc/self/fd/0) 2>/dev/null && exit 2\n"
                                "(echo bad >>/proc/self/fd/0) 2>/dev/null && exit 3\n"
                                "(exec 5<>/proc/self/fd/0 && echo bad >&5) 2>/dev/null && exit 4\n"
                                "exec cat", NULL);
    feed(command, "precious", 8);
    for (int time = 0; time < 2; time++) {
        set_stdio(command, 1, PS_STDIO_PIPE, -1);
        ps_child *child = spawn(NULL, command);
        int fd = pipe_end(child, 1);
        char *text = read_all(fd);
        close(fd);
        CHECK_INT(reap(child).code, 0);
        CHECK_STR(text, "precious");
        free(text);
        ps_child_free(child);
    }
    ps_command_free(command);
    return 0;
}
