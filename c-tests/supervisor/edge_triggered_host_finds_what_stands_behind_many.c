/* A hundred captured streams are ready, and behind them an exit: a host that watches for edges and takes until there is nothing has the exit. */
/* covers: F9 */
#include "outputs.h"
#include "supervising.h"
#include <sys/epoll.h>

enum { MANY = 100 };

int main(void)
{
    ps_error *error = NULL;
    ps_child *talkers[MANY];
    ps_supervisor *supervisor = new_supervisor(0);
    int loop = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event interest = {.events = EPOLLIN | EPOLLET}, ready;
    CHECK(epoll_ctl(loop, EPOLL_CTL_ADD, fd_of(supervisor), &interest) == 0);
    ps_command *command = shell("echo x; echo ready >&2; exec sleep 1000", "");
    CHECK_OK(ps_command_capture(command, 1000, &error), error);
    set_stdio(command, 2, PS_STDIO_PIPE, -1);
    for (int i = 0; i < MANY; i++)
        talkers[i] = spawn(supervisor, command);
    ps_command_free(command);
    gate end = new_gate();
    ps_child *ending = spawn_named(supervisor, at_gate(&end), 7);
    for (int i = 0; i < MANY; i++)
        await_ready(talkers[i]);
    open_gate(&end);
    CHECK(wait_until(process_state(pid_of(ending)) == 'Z', 20000));

    CHECK_INT(epoll_wait(loop, &ready, 1, PATIENCE_MS), 1);
    static event_log log;
    take_all(supervisor, &log);
    CHECK_INT(logged(&log, PS_EVENT_STARTED, 0), MANY + 1);
    CHECK_INT(logged(&log, PS_EVENT_EXITED, 7), 1);
    /* And nothing is ready any more: no edge, and no level. */
    CHECK(!readable(fd_of(supervisor), 0));
    ps_supervisor_free(supervisor);
    for (int i = 0; i < MANY; i++)
        ps_child_free(talkers[i]);
    ps_child_free(ending);
    close(loop);
    return 0;
}
