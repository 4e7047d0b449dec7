/*
 * Children under plain epoll. The glue is three lines:
 *
 *     ps_supervisor_fd(supervisor, &fd, &error);                         one descriptor for all its children ...
 *     epoll_ctl(loop, EPOLL_CTL_ADD, fd, &interest);                     ... which the loop watches for reading, and then
 *     while (ps_supervisor_next_event(supervisor, 0, &event, &error) == PS_OK) ...     takes what has happened
 *
 * Reaping, stop plans, deadlines, output and the queue all move on inside that last call: it must be made whenever fd is readable.
 * With EPOLLET take events until PS_PENDING, as here. What is done with the events is in batch.h.
 *
 *     cc loop_epoll.c $(pkg-config --cflags --libs procsup) -o loop_epoll && ./loop_epoll
 */
/* ctest */
#include "batch.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

static void take_events(ps_supervisor *supervisor)
{
    ps_event event = {.size = sizeof event};
    ps_error *error = NULL;
    ps_status status;
    while ((status = ps_supervisor_next_event(supervisor, 0, &event, &error)) == PS_OK)
        batch_event(supervisor, &event);
    if (status != PS_PENDING)
        batch_must(status, error);
}

int main(void)
{
    ps_supervisor *supervisor = batch_start();
    ps_error *error = NULL;
    int32_t fd = -1;
    batch_must(ps_supervisor_fd(supervisor, &fd, &error), error);

    int loop = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event interest = {.events = EPOLLIN, .data.fd = fd};
    if (loop < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, fd, &interest) != 0) {
        perror("epoll");
        return 1;
    }
    while (!batch_finished()) {
        struct epoll_event ready[8];
        int count = epoll_wait(loop, ready, 8, -1); /* no timeout: deadlines and stop plans wake us through fd */
        if (count < 0 && errno != EINTR) {
            perror("epoll_wait");
            return 1;
        }
        for (int i = 0; i < count; i++)
            if (ready[i].data.fd == fd) /* a server has its sockets beside it */
                take_events(supervisor);
    }
    close(loop);
    return batch_end(supervisor);
}
