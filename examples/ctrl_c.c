/*
 * A program that runs a worker until it gets Ctrl-C or SIGTERM, in three ways:
 *
 *     ctrl_c flag        a handler sets a flag, and the loop waits a second at a time
 *     ctrl_c ppoll       the signals come in only while it waits
 *     ctrl_c signalfd    the signals are one more descriptor in the loop
 *
 * docs/guide/signals.md says when which is right. The worker leads a process group of its own, so the Ctrl-C of a terminal does not reach it: it is
 * stopped in good order, and at once by a second Ctrl-C.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <procsup.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static ps_error *error;

static void check(ps_status status)
{
    if (status < 0) {
        fprintf(stderr, "ctrl_c: %s\n", ps_error_message(error));
        exit(1);
    }
}

static void handle(const ps_event *event)
{
    printf("%s\n", ps_event_kind_name(event->kind));
}

/* begin flag */
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    stop = number;
}

static void serve_by_flag(ps_supervisor *supervisor)
{
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    while (!stop) {
        ps_event event = {.size = sizeof event};
        ps_status status = ps_supervisor_next_event(supervisor, 1000, &event, &error);
        check(status);
        if (status == PS_OK)
            handle(&event); /* PS_PENDING: nothing yet, or a handler has run */
    }
}
/* end flag */

/* begin ppoll */
static void serve_by_ppoll(ps_supervisor *supervisor)
{
    sigset_t ours, before;
    int32_t fd;
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigprocmask(SIG_BLOCK, &ours, &before); /* in every thread: pthread_sigmask before they are made */
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    check(ps_supervisor_fd(supervisor, &fd, &error));
    while (!stop) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        ppoll(&ready, 1, NULL, &before); /* only here a handler runs */
        ps_event event = {.size = sizeof event};
        ps_status status;
        while (!stop && (status = ps_supervisor_next_event(supervisor, 0, &event, &error)) != PS_PENDING) {
            check(status);
            handle(&event);
        }
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}
/* end ppoll */

/* begin signalfd */
static void serve_by_signalfd(ps_supervisor *supervisor)
{
    sigset_t ours, before;
    struct signalfd_siginfo taken;
    int32_t fd;
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigprocmask(SIG_BLOCK, &ours, &before);
    check(ps_supervisor_fd(supervisor, &fd, &error));
    int signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    struct pollfd ready[] = {{.fd = fd, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    for (;;) {
        poll(ready, 2, -1);
        if (read(signals, &taken, sizeof taken) == sizeof taken)
            break;
        ps_event event = {.size = sizeof event};
        ps_status status;
        while ((status = ps_supervisor_next_event(supervisor, 0, &event, &error)) != PS_PENDING) {
            check(status);
            handle(&event);
        }
    }
    close(signals);
    sigprocmask(SIG_SETMASK, &before, NULL);
}
/* end signalfd */

/* begin stop */
static void stop_all(ps_supervisor *supervisor)
{
    stop = 0;
    signal(SIGINT, on_signal);
    check(ps_supervisor_shutdown(supervisor, 5000, &error));
    ps_event event = {.size = sizeof event};
    while (!stop && event.kind != PS_EVENT_SHUTDOWN_DONE)
        check(ps_supervisor_next_event(supervisor, 1000, &event, &error));
    ps_supervisor_free(supervisor); /* kills what is left */
}
/* end stop */

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "flag";
    ps_supervisor *supervisor = NULL;
    ps_command *command = NULL;
    ps_child *child = NULL;
    setvbuf(stdout, NULL, _IOLBF, 0);
    check(ps_supervisor_new(&supervisor, &error));
    check(ps_command_new("sleep", &command, &error));
    check(ps_command_arg(command, "1000", &error));
    check(ps_spawn(supervisor, command, &child, &error));
    ps_command_free(command);
    printf("waiting %s\n", way);
    if (strcmp(way, "ppoll") == 0)
        serve_by_ppoll(supervisor);
    else if (strcmp(way, "signalfd") == 0)
        serve_by_signalfd(supervisor);
    else
        serve_by_flag(supervisor);
    printf("interrupted %s\n", way);
    stop_all(supervisor);
    ps_child_free(child);
    printf("done\n");
    return 0;
}
