/*
 * The first process of a container whose server is replaced inside it: it lives as long as one generation does, and follows from one to the next.
 *
 *     container [--watchdog MS] PROGRAM [ARGUMENTS]
 *
 * examples/init.c ends with its only child; here that child is the first of many. A successor is a grandchild of this process, and becomes its child
 * when the old generation ends. Which of them is the main process this one is told as systemd is: it listens at NOTIFY_SOCKET, where the server
 * says MAINPID= of itself (only of itself, or of its successor when it is the main process: the kernel says who speaks). So one server, with
 * one set of messages, runs under systemd and in a container.
 *
 *     SIGTERM, SIGINT     every process of the container: each generation does what its phase asks. It ends with the last of them
 *     SIGHUP, SIGUSR1/2   the main process: `docker kill -s USR2`, a preStop hook with `kill -USR2 1`
 *     the main one ends   if no other says within two seconds that it is now, this process ends with its exit code (128 + its signal)
 *     --watchdog          the main process gets SIGABRT when nobody has said WATCHDOG=1 for so long, and SIGKILL as long after that
 *
 * It also does for the main process of a unit (examples/service/kv-supervised.service), which then stays the same over all upgrades, whatever
 * the server's: what generations say is passed on to systemd, descriptors for its store too, but for MAINPID.
 *
 *     cc main.c $(pkg-config --cflags --libs procsup) -o container
 */
/* ctest: sh -c "exit 0" */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <procsup.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 2000, MESSAGE = 4096, DESCRIPTORS = 252 };

static ps_supervisor *supervisor;
static ps_child *first;          /* the first generation: procsup reaps it, we reap all others */
static int32_t first_pid, main_pid;
static int lives;                /* 0: it has ended, and nobody has followed */
static int main_fd = -1;         /* its pidfd, if those are to be had */
static int code, stopping, ready, aborted;
static int64_t gone_ms, heard_ms, watchdog_ms;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

static void fail(const char *what, ps_error *error)
{
    fprintf(stderr, "container: %s: %s\n", what, error ? ps_error_message(error) : strerror(errno));
    exit(127);
}

/* ---- who is the main process ---- */

static void main_is(pid_t pid)
{
    if (pid == main_pid && lives)
        return;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* a filter may refuse it: then by number */
    if (fd < 0 && kill(pid, 0) != 0)
        return; /* it has ended in the meantime */
    if (main_fd >= 0)
        close(main_fd);
    main_fd = fd;
    main_pid = pid;
    lives = 1;
}

static void main_has_ended(int ended_with)
{
    if (main_fd >= 0)
        close(main_fd);
    main_fd = -1;
    lives = 0;
    code = ended_with;
    gone_ms = now_ms();
}

static int code_of(const siginfo_t *ended)
{
    return ended->si_code == CLD_EXITED ? ended->si_status : 128 + ended->si_status;
}

static void signal_main(int number)
{
    if (lives && (main_fd < 0 || syscall(SYS_pidfd_send_signal, main_fd, number, NULL, 0) != 0))
        kill(main_pid, number); /* our child, or one whose zombie its own parent keeps */
}

/* A grandchild still: its parent has it, and nobody else knows how it ended. */
static void look_at_main(void)
{
    siginfo_t ended = {0};
    struct pollfd exit = {.fd = main_fd, .events = POLLIN};
    int gone = main_fd >= 0 ? poll(&exit, 1, 0) > 0 : kill(main_pid, 0) != 0;
    if (gone && main_pid != first_pid)
        main_has_ended(waitid(P_PID, (id_t)main_pid, &ended, WEXITED | WNOHANG) == 0 && ended.si_pid ? code_of(&ended) : 1);
}

/* Everybody who has ended. procsup has the first generation; looking first (WNOWAIT) keeps us off it. Whether anybody is left. */
static int reap(void)
{
    ps_event event = {.size = sizeof event};
    while (ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK)
        if (event.kind == PS_EVENT_EXITED) {
            if (main_pid == first_pid)
                main_has_ended(event.exit.kind == PS_EXIT_EXITED ? event.exit.code : 128 + event.exit.signal);
            first_pid = 0;
        }
    for (;;) {
        siginfo_t ended = {0};
        if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0)
            return errno != ECHILD;
        if (ended.si_pid == 0 || ended.si_pid == first_pid)
            return 1;
        waitid(P_PID, (id_t)ended.si_pid, &ended, WEXITED | WNOHANG);
        if (ended.si_pid == main_pid)
            main_has_ended(code_of(&ended));
    }
}

/* ---- what the generations say ---- */

static int listen_for_notes(char *address, size_t size)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t length = sizeof name.sun_family; /* the kernel chooses an abstract name */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 || bind(fd, (struct sockaddr *)&name, length) != 0)
        return -1;
    length = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &length) != 0)
        return -1;
    snprintf(address, size, "@%.*s", (int)(length - offsetof(struct sockaddr_un, sun_path) - 1), name.sun_path + 1);
    return fd;
}

/* Of one message: what is for us is done, the rest goes on to who has started us. */
static void obey(char *text, pid_t sender, const int *fds, size_t count)
{
    static char rest[MESSAGE + 1];
    size_t length = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (strncmp(line, "MAINPID=", 8) == 0) {
            pid_t pid = atoi(line + 8);
            if (pid > 0 && (pid == sender || sender == main_pid))
                main_is(pid);
        } else if (strncmp(line, "MAINPIDFDID=", 12) != 0 && strcmp(line, "BARRIER=1") != 0) {
            if (strcmp(line, "READY=1") == 0)
                ready = 1;
            if (strcmp(line, "READY=1") == 0 || strcmp(line, "WATCHDOG=1") == 0)
                heard_ms = now_ms();
            length += (size_t)snprintf(rest + length, sizeof rest - length, "%s%s", length ? "\n" : "", line);
        }
    }
    if (length > 0)
        ps_notify_fds(rest, fds, count, NULL); /* nobody may have asked */
}

static void take_notes(int fd)
{
    static char text[MESSAGE + 1];
    static union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(DESCRIPTORS * sizeof(int))];
    } control;
    for (;;) {
        struct iovec bytes = {.iov_base = text, .iov_len = MESSAGE};
        struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
        ssize_t length = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
        if (length < 0)
            return;
        pid_t sender = 0;
        int fds[DESCRIPTORS];
        size_t count = 0;
        for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at))
            if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SCM_CREDENTIALS)
                sender = ((struct ucred *)CMSG_DATA(at))->pid;
            else if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SCM_RIGHTS)
                memcpy(fds, CMSG_DATA(at), (count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int)) * sizeof(int));
        text[length] = 0;
        if (sender > 0 && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
            obey(text, sender, fds, count);
        while (count > 0)
            close(fds[--count]); /* with that a barrier is reached */
    }
}

/* ---- the rest ---- */

static void take_signals(int fd)
{
    struct signalfd_siginfo told;
    while (read(fd, &told, sizeof told) == sizeof told) {
        int number = (int)told.ssi_signo;
        if (number == SIGCHLD)
            continue; /* looked at in any case */
        if (number != SIGTERM && number != SIGINT) {
            signal_main(number);
            continue;
        }
        stopping = 1;
        if (getpid() == 1)
            kill(-1, number); /* as KillMode=control-group does: all generations, whoever owns */
        else
            signal_main(number);
    }
}

static void start(char **argv, const char *address)
{
    ps_error *error = NULL;
    ps_command *command = NULL;
    int32_t given = 0;
    char name[256], usec[32];
    if (ps_supervisor_new(&supervisor, &error) != PS_OK || ps_command_new(argv[0], &command, &error) != PS_OK ||
        ps_command_args(command, (const char *const *)argv + 1, &error) != PS_OK ||
        ps_command_survivors(command, PS_SURVIVORS_LEAVE, &error) != PS_OK || /* those are its successors */
        ps_command_env(command, "NOTIFY_SOCKET", address, &error) != PS_OK || ps_listen_fds(&given, &error) != PS_OK)
        fail(argv[0], error);
    for (int32_t fd = PS_LISTEN_FDS_START; fd < PS_LISTEN_FDS_START + given; fd++)
        if (ps_listen_fd_name(fd, name, sizeof name, NULL, &error) != PS_OK || ps_command_listen_fd(command, fd, name, &error) != PS_OK)
            fail("LISTEN_FDS", error);
    /* Who is watched: whoever serves. Without a pid all of them take it as theirs. */
    int64_t theirs = 0;
    if (ps_watchdog_enabled(&theirs, NULL) == PS_OK && theirs > 0 && watchdog_ms == 0)
        watchdog_ms = theirs / 1000;
    snprintf(usec, sizeof usec, "%lld", (long long)watchdog_ms * 1000);
    if (ps_command_env(command, "WATCHDOG_PID", NULL, &error) != PS_OK ||
        ps_command_env(command, "WATCHDOG_USEC", watchdog_ms > 0 ? usec : NULL, &error) != PS_OK)
        fail("WATCHDOG_USEC", error);
    if (ps_spawn(supervisor, command, &first, &error) != PS_OK || ps_child_pid(first, &first_pid, &error) != PS_OK)
        fail(argv[0], error);
    ps_command_free(command);
    main_is(first_pid);
}

int main(int argc, char **argv)
{
    static const int passed[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGWINCH, SIGCHLD};
    char address[120];
    sigset_t set;
    int program = 1, tells_watchdog = 0;

    if (argc > 3 && strcmp(argv[1], "--watchdog") == 0)
        watchdog_ms = atoll(argv[2]), program = 3, tells_watchdog = 1;
    if (argc <= program) {
        fprintf(stderr, "usage: container [--watchdog MS] PROGRAM [ARGUMENTS]\n");
        return 2;
    }
    /* Blocked, they also reach the first process of a namespace, which the kernel spares all that it does not handle. */
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
        sigaddset(&set, passed[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), notes = listen_for_notes(address, sizeof address);
    if (signals < 0 || notes < 0 || (getpid() != 1 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0))
        fail("cannot begin", NULL);
    start(argv + program, address);

    for (;;) {
        int32_t ends = -1;
        ps_supervisor_fd(supervisor, &ends, NULL);
        struct pollfd polled[] = {{.fd = notes, .events = POLLIN}, {.fd = signals, .events = POLLIN}, {.fd = ends, .events = POLLIN},
                                  {.fd = main_fd, .events = POLLIN}};
        poll(polled, 4, main_fd < 0 || watchdog_ms > 0 ? 100 : -1);
        take_notes(notes); /* before it is looked who has ended: who has said who follows may have */
        take_signals(signals);
        int others = reap();
        if (lives)
            look_at_main();
        if (!lives && (!others || (now_ms() - gone_ms > PATIENCE_MS && !stopping)))
            break;
        if (tells_watchdog && ready && lives && now_ms() - heard_ms > watchdog_ms) {
            fprintf(stderr, "container: nobody has said WATCHDOG=1 for %lld ms\n", (long long)watchdog_ms);
            signal_main(aborted++ ? SIGKILL : SIGABRT); /* as long again for its core */
            heard_ms = now_ms();
        }
    }
    ps_child_free(first);
    ps_supervisor_free(supervisor);
    return code;
}
