/* The descriptor for event loops is a level: readable while there is an event, silent without one, no matter who took it out. */
/* covers: EV-21, SC-2 */
#include "harness.h"
#include "children.h"

static int readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n = poll(&p, 1, timeout_ms);
    CHECK(n >= 0);
    return n == 1 && (p.revents & POLLIN);
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    int32_t fd = -1, again = -1;
    CHECK_OK(ps_supervisor_fd(supervisor, &fd, &error), error);
    CHECK_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK(!readable(fd, 0));

    ps_command *command = shell("read go; exit 3", "");
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(supervisor, command);
    int in = pipe_end(child, 0);
    CHECK(readable(fd, 0));
    take_event(supervisor, PS_EVENT_STARTED);
    CHECK(!readable(fd, 0));

    CHECK_INT(write(in, "\n", 1), 1);
    CHECK(readable(fd, PATIENCE_MS));
    CHECK(readable(fd, 0));
    take_event(supervisor, PS_EVENT_EXITED);
    CHECK(!readable(fd, 0));

    /* an exit that was taken by hand is still an event to be taken out */
    ps_child *other = spawn_once(supervisor, exiting("0"));
    take_event(supervisor, PS_EVENT_STARTED);
    reap(other);
    CHECK(readable(fd, PATIENCE_MS));
    take_event(supervisor, PS_EVENT_EXITED);
    CHECK(!readable(fd, 0));

    /* asked for when events are waiting already */
    ps_supervisor *late = supervisor_new();
    reap(other = (ps_child_free(other), spawn_once(late, exiting("0"))));
    CHECK_OK(ps_supervisor_fd(late, &again, &error), error);
    CHECK(readable(again, 0));
    take_event(late, PS_EVENT_STARTED);
    take_event(late, PS_EVENT_EXITED);
    CHECK(!readable(again, 0));
    ps_supervisor_free(late);

    CHECK_OK(ps_supervisor_fd(supervisor, &again, &error), error);
    CHECK_INT(again, fd);
    close(in);
    ps_child_free(child);
    ps_child_free(other);
    ps_supervisor_free(supervisor);
    CHECK(fcntl(fd, F_GETFD) == -1);
    return 0;
}
