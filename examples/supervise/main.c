/*
 * A supervisor of a server that hands over, as the main process of a unit: it holds the listening socket, starts the first generation, has it replaced
 * at SIGHUP, and starts another one if none is left. The generations hand over to each other; this process looks on. So it may be killed at any moment,
 * and nobody notices: systemd starts it again, and it finds the generation that serves (ps_handoff_supervisor_recover).
 *
 *     supervise CONTROL_PATH PORT PROGRAM [ARGUMENTS]
 *
 *     SIGHUP     replaces: RELOADING=1, then READY=1 with what came of it
 *     SIGTERM    ends the generation, then this process
 *
 * The unit is examples/service/kv-supervisor.service. KillMode=process there, so that a generation outlives this process; with it goes that whoever
 * stops the unit has to let this process do it.
 *
 *     cc main.c $(pkg-config --cflags --libs procsup) -o supervise
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <procsup.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REPLACE_MS = 60000, DRAIN_MS = 10000, GRACE_MS = 20000 };

static ps_handoff_supervisor *supervisor;
static ps_command *command;
static ps_error *error;
static int stopping, wanted; /* wanted: another generation */

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "supervise: %s: %s\n", what, error ? ps_error_message(error) : "failed");
    exit(1);
}

static void tell(const char *format, int pid, const char *more)
{
    char text[400];
    snprintf(text, sizeof text, format, pid, more);
    fprintf(stderr, "supervise: %s\n", text);
    char state[440];
    snprintf(state, sizeof state, "READY=1\nSTATUS=%s", text);
    while (ps_notify(state, NULL) == PS_PENDING && ps_notify_barrier(1000, NULL) == PS_OK)
        ;
}

static int bind_at(int port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 || bind(fd, (struct sockaddr *)&name, sizeof name) != 0 ||
        listen(fd, SOMAXCONN) != 0)
        fail("cannot listen");
    return fd;
}

/* Who serves already, if anybody does; what systemd has kept; or a new beginning. */
static void begin(int port)
{
    ps_status found = ps_handoff_supervisor_recover(supervisor, &error);
    int32_t pid = 0;
    if (found == PS_OK && ps_handoff_supervisor_owner(supervisor, &pid, NULL, NULL) == PS_OK)
        return; /* SERVING says who it is */
    if (found == PS_ERR_NOT_FOUND) {
        ps_error_free(error);
        error = NULL;
        int32_t fd = bind_at(port);
        if (ps_handoff_supervisor_listener(supervisor, "http", fd, &error) != PS_OK)
            fail("listener");
        ps_notify_fds("FDSTORE=1\nFDNAME=http", &fd, 1, NULL);
        close(fd);
    } else if (found != PS_OK) {
        fail("cannot find who serves");
    }
    if (ps_handoff_supervisor_start(supervisor, command, &error) != PS_OK)
        fail("cannot start");
}

/* One at a time: while another is under way, or its successor came to nothing and has not ended yet, it is tried again at whatever happens. */
static void replace(void)
{
    ps_status status = ps_handoff_supervisor_replace(supervisor, command, REPLACE_MS, DRAIN_MS, &error);
    wanted = status == PS_ERR_IN_PROGRESS || status == PS_ERR_STATE; /* nobody serves yet */
    if (status != PS_OK && !wanted)
        tell("not replaced (%d): %s", status, ps_error_message(error));
    if (status != PS_OK)
        ps_error_free(error), error = NULL;
}

static void take(const ps_handoff_supervisor_event *event)
{
    switch (event->kind) {
    case PS_HANDOFF_SUPERVISOR_SERVING:
        tell("process %d serves%s", event->pid, "");
        break;
    case PS_HANDOFF_SUPERVISOR_COMMITTED:
        fprintf(stderr, "supervise: process %d has taken over from %d\n", event->pid, event->peer_pid);
        break; /* SERVING follows when it stands alone */
    case PS_HANDOFF_SUPERVISOR_ABORTED:
        tell("process %d goes on: %s", event->pid, ps_status_name(event->reason));
        break;
    case PS_HANDOFF_SUPERVISOR_OWNER_ENDED:
        if (event->reason == PS_ERR_NOT_FOUND) /* another process's child, on a kernel that keeps no status */
            fprintf(stderr, "supervise: process %d has ended\n", event->pid);
        else
            fprintf(stderr, "supervise: process %d has ended, code %d, signal %d\n", event->pid, event->exit_code, event->exit_signal);
        break;
    case PS_HANDOFF_SUPERVISOR_GAVE_UP:
        /* Found, not started, and it has ended: now its successor is ours to start. */
        if (event->reason == PS_ERR_NOT_FOUND && ps_handoff_supervisor_start(supervisor, command, &error) == PS_OK)
            break;
        fail("no generation is left");
    case PS_HANDOFF_SUPERVISOR_STOPPED:
        exit(0);
    }
}

int main(int argc, char **argv)
{
    sigset_t set;
    int32_t events = -1;
    if (argc < 4) {
        fprintf(stderr, "usage: supervise CONTROL_PATH PORT PROGRAM [ARGUMENTS]\n");
        return 2;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    /* What this process is told, and says, is its own: the generations speak to nobody. */
    if (signals < 0 || ps_handoff_supervisor_new(argv[1], &supervisor, &error) != PS_OK || ps_command_new(argv[3], &command, &error) != PS_OK ||
        ps_command_args(command, (const char *const *)argv + 4, &error) != PS_OK ||
        ps_command_env(command, "NOTIFY_SOCKET", NULL, &error) != PS_OK || ps_command_env(command, "WATCHDOG_USEC", NULL, &error) != PS_OK ||
        ps_handoff_supervisor_fd(supervisor, &events, &error) != PS_OK)
        fail("cannot begin");
    begin(atoi(argv[2]));

    for (;;) {
        struct pollfd polled[] = {{.fd = events, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
        struct signalfd_siginfo told;
        ps_handoff_supervisor_event event = {.size = sizeof event};
        poll(polled, 2, -1);
        while (ps_handoff_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK)
            take(&event);
        while (read(signals, &told, sizeof told) == sizeof told) {
            if (told.ssi_signo == SIGHUP)
                wanted = 1, ps_notify_reloading(NULL);
            else if (!stopping++ && (ps_notify("STOPPING=1", NULL), ps_handoff_supervisor_stop(supervisor, GRACE_MS, &error) != PS_OK))
                return 0; /* nobody serves */
        }
        if (wanted && !stopping)
            replace();
    }
}
