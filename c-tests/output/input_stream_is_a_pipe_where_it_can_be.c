/* What the child finds as its stream 0: a pipe that it can open again by name, or, on kernels that would signal the host, a socket that it
   cannot write to and that no byte of it keeps awake. */
/* variants: none */
#include "feeding.h"

static void finds(void)
{
    begin_way();
    bool is_pipe = !by_socket && kernel_at_least(6, 18);
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_once(supervisor, capturing(fed(shell("exec 2>/dev/null; readlink /proc/self/fd/0 | cut -c 1-4; cat < /dev/stdin || "
                                                                 "echo no; (echo answer >&0) || echo mute", NULL), 100)));
    take_event(supervisor, PS_EVENT_STARTED);
    CHECK_INT(give(child, "again\n", 6), 6);
    give_end(child);
    take_event(supervisor, PS_EVENT_EXITED);
    CHECK_STR(captured(child), is_pipe ? "pipe\nagain\nmute\n" : "sock\nno\nmute\n");
    ps_child_free(child);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    both_ways(finds);
    return 0;
}
