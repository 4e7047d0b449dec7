/* A plan of one's own: INT, then USR1, then KILL. The child counts what arrives. */
/* covers: EV-11 */
#include "harness.h"
#include "children.h"

/* Whether the child had said all before the last step: one that hardly runs needs longer steps. */
static bool followed(int32_t step_ms)
{
    ps_error *error = NULL;
    ps_command *command = shell("trap 'echo int' INT; trap 'echo usr1' USR1; trap 'echo term' TERM; echo ready; "
                                "while :; do read line; done", "");
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_stop_step(command, SIGINT, step_ms, &error), error);
    CHECK_OK(ps_command_stop_step(command, SIGUSR1, step_ms, &error), error);
    CHECK_OK(ps_command_stop_step(command, SIGKILL, 10000, &error), error);
    ps_child *child = spawn_once(NULL, command);
    int fd = pipe_end(child, 1);
    char line[16];
    read_line(fd, line, sizeof line);
    CHECK(strcmp(line, "ready") == 0);

    ps_exit end = terminate(child, -1);
    CHECK(end.signal == SIGKILL && end.cause == PS_CAUSE_STOP);
    char *text = read_all(fd);
    CHECK(strncmp(text, "int\nusr1\n", strlen(text)) == 0);
    bool all = strlen(text) == 9;
    free(text);
    close(fd);
    ps_child_free(child);
    return all;
}

int main(void)
{
    CHECK(followed(200) || followed(2000) || followed(10000));
    return 0;
}
