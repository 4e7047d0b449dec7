/*
 * Children under libevent. The glue is three lines:
 *
 *     ps_supervisor_fd(supervisor, &fd, &error);                         one descriptor for all its children ...
 *     event_add(event_new(base, fd, EV_READ | EV_PERSIST, readable, supervisor), NULL);
 *     if (ps_supervisor_next_event(supervisor, 0, &event, &error) == PS_OK) ...        in readable()
 *
 * This one takes one event at each call, so that a storm of children does not keep the sockets of the same loop waiting: as long as
 * there are more, the descriptor stays readable. (Not so with EV_ET: then take all.) What is done with the events is in batch.h.
 *
 *     cc loop_libevent.c $(pkg-config --cflags --libs procsup libevent_core) -o loop_libevent && ./loop_libevent
 */
/* ctest */
/* needs-package: libevent_core */
#include "batch.h"

#include <event2/event.h>

static struct event_base *base;

static void readable(evutil_socket_t fd, short what, void *supervisor)
{
    ps_event event = {.size = sizeof event};
    (void)fd, (void)what;
    if (ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK)
        batch_event(supervisor, &event);
    if (batch_finished())
        event_base_loopbreak(base);
}

int main(void)
{
    ps_supervisor *supervisor = batch_start();
    ps_error *error = NULL;
    int32_t fd = -1;
    batch_must(ps_supervisor_fd(supervisor, &fd, &error), error);

    base = event_base_new();
    struct event *watcher = base ? event_new(base, fd, EV_READ | EV_PERSIST, readable, supervisor) : NULL;
    if (watcher == NULL || event_add(watcher, NULL) != 0) {
        fprintf(stderr, "libevent cannot watch the supervisor\n");
        return 1;
    }
    event_base_dispatch(base);
    event_free(watcher); /* before the supervisor: the descriptor is the supervisor's */
    event_base_free(base);
    return batch_end(supervisor);
}
