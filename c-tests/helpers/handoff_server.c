/*
 * handoff_server DIRECTORY: a server that hands over to itself, for scripts/handoff_sweep.py, in the mode that the trace names. In exclusive
 * mode it is a single writer, and answers each request with a sequence number once the record is durable in DIRECTORY/log. In overlap mode
 * it keeps nothing, and answers with the time. It traces what it does (handoff_trace.h).
 *
 * The main thread makes nothing but calls of procsup between its marker call and its end, so that the sweep lets faults hit the
 * library; a second thread accepts and writes, and does the reading of the log at LIVE, too. SIGUSR1: look at trace->command.
 */
#include "harness.h"

#include "handoff_record.h"
#include "handoff_trace.h"
#include "handoff_writer.h"
#include <arpa/inet.h>
#include <linux/futex.h>
#include <sys/prctl.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

static const char *directory;
static char control_path[512], log_path[512];
static ps_handoff *handoff;
static int listener = -1, wake_fd, signal_fd, inherited;

static _Noreturn void leave(int code)
{
    trace_put(T_EXIT, code, 0);
    _exit(code);
}

static _Noreturn void trouble_at(int line)
{
    trace_put(T_TROUBLE, line, errno);
    leave(90);
}
#define must(condition) ((condition) ? (void)0 : trouble_at(__LINE__))

/* ---- the worker --------------------------------------------------------------------------------------------------------- */

enum { REST, SERVE };
static _Atomic uint32_t wanted = REST, present = REST; /* `present` is a futex */
static bool reload;                                    /* nobody has sealed: what is in the log counts */
static uint64_t sealed;                                /* how many records there are, if somebody has */

static bool writes(void)
{
    return trace->mode == PS_HANDOFF_EXCLUSIVE;
}

static void serve_one(int fd)
{
    struct request request;
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    if (poll(&readable, 1, 1000) == 1 && recv(fd, &request, sizeof request, 0) == sizeof request) {
        struct reply reply = {.id = request.id, .seq = writes() ? next_seq : trace_now(), .pid = trace_pid};
        must(!writes() || writer_append(request.id));
        send(fd, &reply, sizeof reply, MSG_NOSIGNAL);
    }
    close(fd);
}

static void *work(void *unused)
{
    (void)unused;
    for (;;) {
        struct pollfd set[2] = {{.fd = wake_fd, .events = POLLIN}, {.fd = present == SERVE ? listener : -1, .events = POLLIN}};
        uint64_t count;
        if (poll(set, 2, 500) == 0 && kill((pid_t)trace->sweep, 0) != 0)
            _exit(95); /* the sweep is gone */
        if (set[0].revents && read(wake_fd, &count, sizeof count) == sizeof count && wanted != present) {
            if (wanted == SERVE) {
                must(!writes() || writer_on(reload, sealed));
                trace_put(T_ACCEPT_ON, 0, 0);
            } else {
                trace_put(T_ACCEPT_OFF, 0, 0);
                if (writes())
                    writer_off();
            }
            present = wanted;
            syscall(SYS_futex, &present, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
            continue;
        }
        int fd = set[1].revents ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd >= 0)
            serve_one(fd);
    }
}

static void turn(uint32_t to)
{
    uint64_t one = 1;
    if (present == to)
        return;
    wanted = to;
    while (write(wake_fd, &one, sizeof one) != sizeof one)
        must(errno == EINTR);
    while (present != to)
        syscall(SYS_futex, &present, FUTEX_WAIT_PRIVATE, to == SERVE ? REST : SERVE, NULL, NULL, 0);
}

static void serve(bool from_log)
{
    reload = from_log;
    turn(SERVE);
}

/* ---- the main thread ---------------------------------------------------------------------------------------------------- */

static void listen_somewhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)trace->port)};
    socklen_t length = sizeof address;
    int yes = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(listener >= 0 && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0);
    /* A killed owner lets go of its lock before its last socket is closed. */
    while (bind(listener, (struct sockaddr *)&address, sizeof address) != 0)
        must(errno == EADDRINUSE && trace->port && usleep(1000) == 0);
    must(listen(listener, 4096) == 0);
    must(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    trace->port = ntohs(address.sin_port);
}

/* The sweep attaches its tracer here. */
enum { OWNER = 1, SUCCESSOR = 2 };
static void hold_if_asked(uint32_t who)
{
    if (trace->hold == who) {
        trace->held = trace_pid;
        while (trace->hold == who)
            usleep(100);
    }
    inject_begin();
}

static void answer(int kind, ps_status status)
{
    trace_put(status == PS_OK ? T_ANSWERED : T_REFUSED, kind, -status);
}

static void upgrade(void)
{
    ps_command *command = NULL;
    ps_error *error = NULL;
    char self[512] = "";
    must(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    must(ps_command_new(self, &command, NULL) == PS_OK && ps_command_arg(command, directory, NULL) == PS_OK);
    hold_if_asked(OWNER);
    trace_put(T_UPGRADE, 0, 0);
    ps_status status = ps_handoff_upgrade(handoff, command, trace->whole_ms, &error);
    trace_put(T_UPGRADED, -status, error ? ps_error_errno(error) : 0);
    ps_error_free(error);
    ps_command_free(command);
}

static bool is_connection(int fd)
{
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    return getpeername(fd, (struct sockaddr *)&peer, &length) == 0 && peer.sin_family == AF_INET;
}

static void count_what_is_held(void)
{
    int connections = 0;
    for (int fd = 0; fd < 1024; fd++)
        connections += is_connection(fd);
    trace_put(T_HOLDS, count_fds() - connections - inherited, child_count());
}

static void obey(void)
{
    struct signalfd_siginfo info;
    if (read(signal_fd, &info, sizeof info) != sizeof info)
        return;
    uint32_t command = atomic_exchange(&trace->command, C_NONE);
    if (command == C_UPGRADE)
        upgrade();
    else if (command == C_HOLD)
        hold_if_asked(OWNER);
    else if (command == C_COUNT) {
        turn(REST); /* no connection comes or goes meanwhile */
        count_what_is_held();
        sealed = next_seq;
        serve(false);
    } else if (command == C_QUIT) {
        turn(REST);
        ps_handoff_free(handoff);
        leave(0);
    }
}

/* Overlap: SEAL is to be answered. That takes a moment, in which the library has to see what becomes of the successor. */
static bool closing;
enum { CLOSING_MS = 5 };

static void own(void)
{
    uint64_t generation = 0;
    must(ps_handoff_generation(handoff, &generation, NULL) == PS_OK);
    trace_put(T_OWNS, (int64_t)generation, 0);
}

static void hear(const ps_handoff_event *event)
{
    static bool owner; /* it has been one: an ABORTED means that it goes on */
    bool detailed = event->kind == PS_HANDOFF_LIVE || event->kind == PS_HANDOFF_RESUME;
    trace_put(T_TOLD, event->kind, detailed ? event->unsealed : -event->reason);
    switch (event->kind) {
    case PS_HANDOFF_LIVE:
        sealed = event->revision;
        int32_t role = -1;
        must(ps_handoff_role(handoff, &role, NULL) == PS_OK);
        own();
        serve(event->unsealed || role == PS_HANDOFF_FIRST);
        answer(PS_HANDOFF_LIVE, ps_handoff_live(handoff, NULL));
        owner |= role == PS_HANDOFF_FIRST;
        break;
    case PS_HANDOFF_DRAIN:
        answer(PS_HANDOFF_DRAIN, ps_handoff_drained(handoff, 0, NULL));
        break;
    case PS_HANDOFF_SEAL:
        turn(REST);
        sealed = next_seq;
        closing = !writes();
        if (!closing)
            answer(PS_HANDOFF_SEAL, ps_handoff_sealed(handoff, sealed, NULL));
        break;
    case PS_HANDOFF_RESUME:
        closing = false;
        own();
        serve(event->unsealed);
        break;
    case PS_HANDOFF_COMMITTED:
        closing = false;
        owner = true;
        break;
    case PS_HANDOFF_RETIRE:
        turn(REST);
        ps_handoff_free(handoff);
        leave(0);
    case PS_HANDOFF_ABORTED:
        if (!owner) {
            turn(REST);
            ps_handoff_free(handoff);
            leave(3);
        }
        break;
    }
}

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    pthread_t worker;
    sigset_t commands;
    int32_t role = -1, fd = -1;
    uint64_t generation = 0;

    if (argc < 2)
        return 99;
    directory = argv[1];
    trace_open(directory);
    trace_put(T_START, getppid(), 0);
    inherited = count_fds();
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    sigemptyset(&commands);
    sigaddset(&commands, SIGUSR1);
    sigprocmask(SIG_BLOCK, &commands, NULL);
    snprintf(control_path, sizeof control_path, "%s/control", directory);
    snprintf(log_path, sizeof log_path, "%s/log", directory);
    must(!writes() || (log_fd = open(log_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) >= 0);
    must((wake_fd = eventfd(0, EFD_CLOEXEC)) >= 0);
    must((signal_fd = signalfd(-1, &commands, SFD_CLOEXEC | SFD_NONBLOCK)) >= 0);
    must(pthread_create(&worker, NULL, work, NULL) == 0);

    hold_if_asked(SUCCESSOR);
    if (ps_handoff_new(control_path, &handoff, &error) != PS_OK) {
        trace_put(T_NEW_FAILED, -ps_error_status(error), ps_error_errno(error));
        leave(2);
    }
    must(ps_handoff_role(handoff, &role, NULL) == PS_OK && ps_handoff_generation(handoff, &generation, NULL) == PS_OK);
    trace_put(T_OFFERED, role, (int64_t)generation);
    if (ps_handoff_take_fd(handoff, "listener", &fd, NULL) == PS_OK)
        listener = fd;
    else if (role == PS_HANDOFF_SUCCESSOR)
        leave(4); /* a fault; the successor of an owner that has a listener does without none */
    else {
        listen_somewhere();
        must(ps_handoff_set_fd(handoff, "listener", listener, NULL) == PS_OK);
    }
    must(ps_handoff_set_mode(handoff, (int32_t)trace->mode, NULL) == PS_OK);
    must(ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_LIVE, trace->live_ms, NULL) == PS_OK);
    must(ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_PROBATION, trace->probation_ms, NULL) == PS_OK);
    must(ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_TAKEOVER, trace->whole_ms, NULL) == PS_OK);
    must(!trace->seal_ms || ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_SEAL, trace->seal_ms, NULL) == PS_OK);
    if (role == PS_HANDOFF_SUCCESSOR) {
        trace_put(T_WARM, 0, 0);
        answer(0, ps_handoff_warm(handoff, NULL));
    }
    must(ps_handoff_fd(handoff, &fd, NULL) == PS_OK);
    for (;;) {
        struct pollfd set[2] = {{.fd = fd, .events = POLLIN}, {.fd = signal_fd, .events = POLLIN}};
        ps_handoff_event event = {.size = sizeof event};
        ps_status status;
        while ((status = ps_handoff_next_event(handoff, 0, &event, NULL)) == PS_OK)
            hear(&event);
        must(status == PS_PENDING);
        int ready = poll(set, 2, closing ? CLOSING_MS : -1);
        if (ready > 0 && set[1].revents)
            obey();
        if (ready == 0) {
            closing = false;
            answer(PS_HANDOFF_SEAL, ps_handoff_sealed(handoff, 0, NULL));
        }
    }
}
