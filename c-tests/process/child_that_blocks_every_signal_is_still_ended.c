/* All signals blocked and ignored, and stopped on top of it: KILL still ends it, within the grace and a little. */
/* covers: EV-24 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_command *command = shell("trap '' TERM INT HUP QUIT; echo; kill -STOP $$; while :; do :; done", "");
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int fd = pipe_end(child, 1);
    CHECK(read_byte(fd) == '\n');
    CHECK(wait_until(process_state(pid_of(child)) == 'T', 20000));

    ps_exit end = terminate(child, 20);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGKILL && end.cause == PS_CAUSE_STOP);
    close(fd);
    ps_child_free(child);
    return 0;
}
