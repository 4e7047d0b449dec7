/* A child that answers TERM with an orderly exit is reported as exited with its code, caused by the stop plan. */
/* covers: EV-11 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_command *command = shell("trap 'exit 7' TERM; echo; while :; do read line; done", "");
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int fd = pipe_end(child, 1);
    CHECK(read_byte(fd) == '\n');

    ps_exit end = terminate(child, PATIENCE_MS);
    CHECK(end.kind == PS_EXIT_EXITED && end.code == 7 && end.signal == 0);
    CHECK(end.cause == PS_CAUSE_STOP);
    close(fd);
    ps_child_free(child);
    return 0;
}
