/*
 * native_server DIRECTORY [OPTION...]: one generation of a small server, as a supervisor starts it. It is a single writer: each request (8 bytes)
 * is written to DIRECTORY/log at its place, and answered with that place and the pid. It gets its listener "http" from the generation before it, or,
 * where there is none, from whoever started it (LISTEN_FDS), and never binds one.
 *
 * At each step it makes DIRECTORY/<pid>.<step>: begun, offered, warm, drain, seal, live, committed, retire, aborted. Options:
 *     hold=STEP   it stays there until DIRECTORY/go is there      hang=STEP   it stays there for ever, but for signals
 *     exit=CODE   it ends at once                                 fail        it says that it failed, in the place of "warm"
 *     upgrade     at SIGUSR1 it hands over to a child of its own
 *     probation=MS  live=MS  overlap
 */
#include "harness.h"

#include <sys/signalfd.h>
#include <sys/socket.h>

static const char *directory, *hold = "", *hang = "";
static ps_handoff *handoff;
static ps_error *error;
static int log_fd, listener = -1, is_serving;
static uint64_t next;

#define must(call)                                                                                                                \
    do {                                                                                                                          \
        if ((call) != PS_OK) {                                                                                                    \
            fprintf(stderr, "native_server %d: %s: ", getpid(), #call);                                                       \
            if (error)                                                                                                            \
                harness_print_error(error);                                                                                       \
            _exit(9);                                                                                                             \
        }                                                                                                                         \
    } while (0)

static bool is_there(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return access(path, F_OK) == 0;
}

static void step(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%d.%s", directory, getpid(), name);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    while (strcmp(hold, name) == 0 && !is_there("go"))
        usleep(2000);
    while (strcmp(hang, name) == 0)
        pause();
}

/* What is in the log was acknowledged, or may have been. */
static void open_writer(void)
{
    struct stat stat;
    if (fstat(log_fd, &stat) != 0)
        _exit(8);
    next = (uint64_t)stat.st_size / sizeof(uint64_t);
}

static void serve_one(void)
{
    uint64_t request, answer[2];
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct timeval time = {.tv_sec = 2};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    if (recv(fd, &request, sizeof request, MSG_WAITALL) == sizeof request) {
        if (pwrite(log_fd, &request, sizeof request, (off_t)(next * sizeof request)) != sizeof request)
            _exit(7);
        answer[0] = next++;
        answer[1] = (uint64_t)getpid();
        send(fd, answer, sizeof answer, MSG_NOSIGNAL);
    }
    close(fd);
}

static void upgrade(int count, char **options)
{
    char self[512] = "";
    ps_command *command = NULL;
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        _exit(6);
    must(ps_command_new(self, &command, &error));
    must(ps_command_arg(command, directory, &error));
    for (int i = 0; i < count; i++)
        must(ps_command_arg(command, options[i], &error));
    ps_handoff_upgrade(handoff, command, 20000, NULL);
    ps_command_free(command);
}

int main(int argc, char **argv)
{
    char path[256];
    int32_t role, count, fd = -1;
    int upgrades = 0, overlap = 0, fails = 0;
    long probation = 50, live = 5000;
    if (argc < 2)
        return 99;
    directory = argv[1];
    for (int i = 2; i < argc; i++) {
        const char *value = strchr(argv[i], '=') ? strchr(argv[i], '=') + 1 : "";
        if (strncmp(argv[i], "hold=", 5) == 0)
            hold = value;
        else if (strncmp(argv[i], "hang=", 5) == 0)
            hang = value;
        else if (strncmp(argv[i], "exit=", 5) == 0)
            return atoi(value);
        else if (strncmp(argv[i], "probation=", 10) == 0)
            probation = atol(value);
        else if (strncmp(argv[i], "live=", 5) == 0)
            live = atol(value);
        upgrades |= strcmp(argv[i], "upgrade") == 0;
        overlap |= strcmp(argv[i], "overlap") == 0;
        fails |= strcmp(argv[i], "fail") == 0;
    }
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    snprintf(path, sizeof path, "%s/log", directory);
    log_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (log_fd < 0)
        return 98;
    step("begun");
    snprintf(path, sizeof path, "%s/control", directory);
    must(ps_handoff_new(path, &handoff, &error));
    step("offered");
    must(ps_handoff_role(handoff, &role, &error));
    if (ps_handoff_take_fd(handoff, "http", &fd, NULL) == PS_OK)
        listener = fd;
    else {
        must(ps_listen_fds(&count, &error));
        must(ps_listen_fd_named("http", &fd, &error));
        listener = fd;
        must(ps_handoff_set_fd(handoff, "http", listener, &error));
    }
    must(ps_handoff_set_mode(handoff, overlap ? PS_HANDOFF_OVERLAP : PS_HANDOFF_EXCLUSIVE, &error));
    must(ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_PROBATION, probation, &error));
    must(ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_LIVE, live, &error));
    snprintf(path, sizeof path, "build of %d", getpid());
    must(ps_handoff_set_build_id(handoff, path, &error));
    if (role == PS_HANDOFF_SUCCESSOR) {
        step("warm");
        ps_status status = fails ? ps_handoff_failed(handoff, "it would not", &error) : ps_handoff_warm(handoff, &error);
        if (status != PS_OK && status != PS_ERR_STATE)
            must(status);
    }
    must(ps_handoff_fd(handoff, &fd, &error));
    for (;;) {
        ps_handoff_event event = {.size = sizeof event};
        struct pollfd set[3] = {{fd, POLLIN, 0}, {signal_fd, POLLIN, 0}, {is_serving ? listener : -1, POLLIN, 0}};
        poll(set, 3, -1);
        struct signalfd_siginfo signal;
        if (set[1].revents && read(signal_fd, &signal, sizeof signal) == sizeof signal) {
            if (signal.ssi_signo == SIGTERM) {
                ps_handoff_free(handoff);
                return 0;
            }
            if (upgrades)
                upgrade(argc - 2, argv + 2);
        }
        ps_status status;
        while ((status = ps_handoff_next_event(handoff, 0, &event, &error)) == PS_OK) {
            switch (event.kind) {
            case PS_HANDOFF_LIVE:
                step("live");
                open_writer();
                is_serving = 1;
                ps_handoff_live(handoff, NULL);
                break;
            case PS_HANDOFF_DRAIN:
                step("drain");
                ps_handoff_drained(handoff, 3, NULL);
                break;
            case PS_HANDOFF_SEAL:
                step("seal");
                is_serving = 0;
                ps_handoff_sealed(handoff, next, NULL);
                break;
            case PS_HANDOFF_RESUME:
                if (event.unsealed)
                    open_writer();
                is_serving = 1;
                break;
            case PS_HANDOFF_COMMITTED: step("committed"); break;
            case PS_HANDOFF_RETIRE:
                step("retire");
                ps_handoff_free(handoff);
                return 0;
            case PS_HANDOFF_ABORTED:
                if (event.phase == PS_HANDOFF_PHASE_GONE) {
                    step("aborted");
                    ps_handoff_free(handoff);
                    return 3;
                }
                break;
            }
            event.size = sizeof event;
        }
        if (status != PS_PENDING)
            must(status);
        if (set[2].revents && is_serving)
            serve_one();
    }
}
