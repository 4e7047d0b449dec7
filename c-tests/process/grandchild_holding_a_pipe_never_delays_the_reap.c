/* The end of a child is seen on its pidfd. A daemon that keeps its pipe open, in a session of its own, is no reason
   to wait. */
/* covers: EV-17, P2, P3 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_command *command = helper_command("spawn_grandchild", "setsid", "hold-pipe", "exit=3", NULL);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    set_stdio(command, 2, PS_STDIO_MERGE, -1);
    ps_child *child = spawn_once(NULL, command);
    int out = pipe_end(child, 1);
    pid_t daemon = (pid_t)read_number(out);

    ps_exit end = reap(child);
    CHECK(end.kind == PS_EXIT_EXITED && end.code == 3);
    CHECK(!is_dead(daemon));
    struct pollfd p = {.fd = out, .events = POLLIN};
    CHECK_INT(poll(&p, 1, 0), 0); /* no end of file: the pipe really was held all the time */

    kill(daemon, SIGKILL);
    close(out);
    ps_child_free(child);
    return 0;
}
