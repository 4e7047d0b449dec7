/*
 * Children under libuv. The glue is three lines:
 *
 *     ps_supervisor_fd(supervisor, &fd, &error);                         one descriptor for all its children ...
 *     uv_poll_init(loop, &watcher, fd), uv_poll_start(&watcher, UV_READABLE, readable);
 *     for (i = 0; i < 64 && ps_supervisor_next_event(supervisor, 0, &event, &error) == PS_OK; i++) ...     in readable()
 *
 * At most 64 events at a time: in a storm of short children there is always one more, and the sockets of the same loop must have their turn.
 *
 * The watcher keeps uv_run() going, also while no child is left: uv_unref() it in a program that should then end. Close it before
 * the supervisor is freed: the descriptor is the supervisor's. What is done with the events is in batch.h.
 *
 *     cc loop_libuv.c $(pkg-config --cflags --libs procsup libuv) -o loop_libuv && ./loop_libuv
 */
/* ctest */
/* needs-package: libuv */
#include "batch.h"

#include <uv.h>

static void readable(uv_poll_t *watcher, int status, int events)
{
    ps_supervisor *supervisor = watcher->data;
    ps_event event = {.size = sizeof event};
    (void)status, (void)events; /* whatever they say: the next call knows */
    for (int i = 0; i < 64 && ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK; i++)
        batch_event(supervisor, &event);
    if (batch_finished())
        uv_close((uv_handle_t *)watcher, NULL);
}

int main(void)
{
    ps_supervisor *supervisor = batch_start();
    ps_error *error = NULL;
    int32_t fd = -1;
    batch_must(ps_supervisor_fd(supervisor, &fd, &error), error);

    uv_loop_t *loop = uv_default_loop();
    uv_poll_t watcher = {.data = supervisor};
    int failed = uv_poll_init(loop, &watcher, fd);
    if (failed == 0)
        failed = uv_poll_start(&watcher, UV_READABLE, readable);
    if (failed != 0) {
        fprintf(stderr, "uv_poll: %s\n", uv_strerror(failed));
        return 1;
    }
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
    return batch_end(supervisor);
}
