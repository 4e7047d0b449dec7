/*
 * Children under the main loop of GLib (GTK, GStreamer). The glue is three lines:
 *
 *     ps_supervisor_fd(supervisor, &fd, &error);                         one descriptor for all its children ...
 *     g_unix_fd_add(fd, G_IO_IN, readable, supervisor);
 *     while (ps_supervisor_next_event(supervisor, 0, &event, &error) == PS_OK) ...     in readable()
 *
 * For a loop of another thread, or another priority: g_unix_fd_source_new(), g_source_attach(). No g_child_watch is needed, and none
 * is disturbed. What is done with the events is in batch.h.
 *
 *     cc loop_glib.c $(pkg-config --cflags --libs procsup glib-2.0) -o loop_glib && ./loop_glib
 */
/* ctest */
/* needs-package: glib-2.0 */
#include "batch.h"

#include <glib-unix.h>

static GMainLoop *loop;

static gboolean readable(gint fd, GIOCondition condition, gpointer supervisor)
{
    ps_event event = {.size = sizeof event};
    (void)fd, (void)condition;
    while (ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK)
        batch_event(supervisor, &event);
    if (!batch_finished())
        return G_SOURCE_CONTINUE; /* with G_SOURCE_REMOVE the loop would look no more */
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

int main(void)
{
    ps_supervisor *supervisor = batch_start();
    ps_error *error = NULL;
    int32_t fd = -1;
    batch_must(ps_supervisor_fd(supervisor, &fd, &error), error);

    loop = g_main_loop_new(NULL, FALSE);
    g_unix_fd_add(fd, G_IO_IN, readable, supervisor);
    g_main_loop_run(loop);
    g_main_loop_unref(loop);
    return batch_end(supervisor);
}
