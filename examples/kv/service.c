/*
 * This server as a service: what its starter has left for it, and what it tells it. Started from a shell, or by a supervisor that asks for nothing,
 * all of this does nothing.
 *
 *     what happens                   is told                                           by
 *     ---------------------------    -----------------------------------------------   --------------------------------------------
 *     the first one serves           READY=1                                           itself
 *     its listener is there          FDSTORE=1: kept over a crash, and its clients     whoever has bound it
 *     an upgrade begins              RELOADING=1, MONOTONIC_USEC=                      the old generation
 *     the new one stands alone       MAINPID=, MAINPIDFDID=, READY=1                   the new one, before it takes its next event: only
 *                                                                                      then the old one is told RETIRE, and ends
 *     it came to nothing             READY=1, STATUS=                                  the old one, which goes on
 *     it works                       WATCHDOG=1                                        whoever serves or stands by, from its loop
 *     it ends                        STOPPING=1                                        the owner
 *
 * Unit files: examples/service. The same messages are understood by the first process of a container, examples/container.
 */
#include "kv.h"
#include <procsup.h>
#include <stdio.h>
#include <unistd.h>

static struct event *alive;

/* What must arrive: as long as the starter is behind with reading, wait until it is not. */
static void tell(const char *state)
{
    ps_error *error = NULL;
    ps_status status;
    while ((status = ps_notify(state, &error)) == PS_PENDING && ps_notify_barrier(1000, NULL) == PS_OK)
        ;
    if (status != PS_OK)
        note("not told: %s", status < 0 ? ps_error_message(error) : state);
    ps_error_free(error);
}

void service_main_process(int pid, const char *more)
{
    ps_error *error = NULL;
    ps_status status;
    while ((status = ps_notify_main_process(pid, more, &error)) == PS_PENDING && ps_notify_barrier(1000, NULL) == PS_OK)
        ;
    if (status != PS_OK)
        note("not told: %s", status < 0 ? ps_error_message(error) : "MAINPID");
    ps_error_free(error);
}

void service_ready(void)
{
    tell("READY=1\nSTATUS=serving");
}

void service_reloading(void)
{
    ps_notify_reloading(NULL); /* who does not hear of it does not wait for READY either */
}

void service_not_reloaded(const char *why)
{
    char text[400];
    snprintf(text, sizeof text, "READY=1\nSTATUS=not upgraded: %.300s", why);
    tell(text);
}

void service_stopping(void)
{
    ps_notify("STOPPING=1\nSTATUS=answering what is open", NULL);
}

/* A listener from a .socket unit, or one that a generation before us had stored: -1 if there is none. */
int service_listener(void)
{
    int32_t fd = -1;
    ps_error *error = NULL;
    ps_status status = ps_listen_fd_named("http", &fd, &error);
    if (status != PS_OK && status != PS_ERR_NOT_FOUND)
        fatal("%s", ps_error_message(error));
    ps_error_free(error);
    if (status == PS_OK && evutil_make_socket_nonblocking(fd) != 0) /* that of a .socket unit blocks */
        fatal("the listener cannot be used");
    return status == PS_OK ? fd : -1;
}

void service_store(int listener)
{
    ps_notify_fds("FDSTORE=1\nFDNAME=http", &listener, 1, NULL);
}

static void say_alive(evutil_socket_t fd, short what, void *unused)
{
    (void)fd, (void)what, (void)unused;
    if (generations_serve())
        ps_notify("WATCHDOG=1", NULL); /* not sent: the next one will be */
}

void service_begin(void)
{
    int64_t usec = 0;
    ps_error *error = NULL;
    if (ps_handoff_check_service(&error) != PS_OK)
        note("warning: %s", ps_error_message(error)); /* POST /_upgrade and SIGUSR2 are going to be refused */
    ps_error_free(error);
    if (ps_watchdog_enabled(&usec, NULL) != PS_OK || usec == 0)
        return;
    usec /= 2;
    struct timeval period = {.tv_sec = usec / 1000000, .tv_usec = usec % 1000000};
    alive = event_new(base, -1, EV_PERSIST, say_alive, NULL);
    if (alive == NULL || event_add(alive, &period) != 0)
        fatal("the event loop refuses a timer");
}

void service_end(void)
{
    if (alive)
        event_free(alive);
}
