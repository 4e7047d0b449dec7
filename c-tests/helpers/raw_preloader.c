/* raw_preloader LOG MODE [COUNT]: a preloader that speaks the native protocol by hand, well or badly. The first COUNT forks, of all its processes together,
   go as MODE says, the others well (a negative COUNT: all of them). What happens is written to LOG, a line each: "preloader PID", "command BIRTH", "worker PID", "go DESCRIPTORS",
   "cancel BIRTH", "release BIRTH", "stop". */
#define _GNU_SOURCE
#include "native_wire.h"

#include <procsup.h>

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

static const char *mode;
static const char *log_path;
static int channel, log_fd;
static uint64_t generation;
static uint32_t said;

/* "libc-" before a mode: its workers are its own children. */
static bool is(const char *name)
{
    return strcmp(mode, name) == 0 || (strncmp(mode, "libc-", 5) == 0 && strcmp(mode + 5, name) == 0);
}

static void note(const char *what, long number)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%s %ld\n", what, number);
    if (write(log_fd, line, (size_t)length) < 0)
        _exit(99);
}

static wire_message begin(uint16_t kind)
{
    return wire_begin(kind, generation, ++said);
}

static void send_or_go(wire_message *m)
{
    if (wire_send(channel, m))
        _exit(0);
}

static void plain(uint16_t kind, uint64_t birth)
{
    wire_message m = begin(kind);
    wire_value(&m, T_BIRTH, birth, 8);
    send_or_go(&m);
}

static void hello(int to, uint64_t id, uint32_t seq)
{
    wire_message m = wire_begin(W_HELLO, id, seq);
    wire_value(&m, T_VERSIONS, is("other-version") || (is("worker-version") && to != channel) ? 0x00090009 : 0x00010001, 4);
    if (to == channel)
        send_or_go(&m);
    else if (wire_send(to, &m))
        _exit(0);
}

/* The worker, from its first instruction. */
static void work(int end, uint64_t birth, bool badly)
{
    close(channel);
    note("worker", getpid());
    if (badly && is("stopped"))
        raise(SIGSTOP); /* before anybody knows it */
    if (badly && is("die-before-hello"))
        _exit(9);
    if (badly && is("no-hello"))
        for (;;)
            pause();
    if (badly && is("hello-is-ready")) {
        wire_message m = wire_begin(W_READY, birth, 1);
        wire_send(end, &m);
    }
    /* A host cannot make another's child lead a group: who is swept with its preloader's is dead though it was let in. */
    if (strncmp(mode, "libc", 4) == 0)
        setpgid(0, 0);
    hello(end, birth, 1);
    if (badly && is("die-at-gate"))
        _exit(9);
    wire_message m;
    if (!wire_receive(end, &m) || m.kind != W_GO) {
        note("shut", getpid());
        _exit(0);
    }
    /* Who ends before that, and is known to nobody, is found in its preloader's group. */
    setpgid(0, 0);
    note("go", m.fd_count);
    int count = m.fd_count;
    for (int i = 0; i < count; i++)
        if (dup3(m.fds[i], (int)wire_find(&m, T_TO, i, 0), 0) < 0)
            _exit(98);
    for (int i = 0; i < count; i++)
        close(m.fds[i]);
    printf("works %s\n", mode);
    fflush(stdout);
    if (badly && is("die-at-work"))
        _exit(9);
    if (badly && is("never-ready"))
        for (;;)
            pause();
    if (badly && is("close-at-work")) {
        close(end);
        for (;;)
            pause();
    }
    if (badly && is("work-fails")) {
        wire_message f = wire_begin(W_FAILED, birth, 2);
        const char *text = "there is no\x1b[2J database";
        wire_bytes(&f, T_TEXT, text, strlen(text));
        wire_send(end, &f);
        for (;;)
            pause();
    }
    wire_message ready = wire_begin(W_READY, birth, 2);
    wire_send(end, &ready);
    if (is("spam-worker"))
        for (uint32_t n = 3;; n++) {
            wire_message more = wire_begin(W_READY, birth, n);
            if (wire_send(end, &more))
                _exit(0);
        }
    /* A worker serves until its host lets it go. */
    while (wire_receive(end, &m))
        ;
    _exit(7);
}

static pid_t make(int end, uint64_t birth, bool badly, int *pidfd)
{
    *pidfd = -1;
    bool libc = strncmp(mode, "libc", 4) == 0;
    pid_t pid = libc ? fork() : (pid_t)syscall(SYS_clone, CLONE_PARENT | CLONE_PIDFD | SIGCHLD, 0, pidfd, 0, 0);
    if (pid == 0)
        work(end, birth, badly);
    if (libc && pid > 0)
        *pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    return pid;
}

static void born(uint64_t birth, pid_t pid, int pidfd)
{
    wire_message m = begin(W_BORN);
    wire_value(&m, T_BIRTH, birth, 8);
    wire_value(&m, T_PID, (uint64_t)pid, 4);
    wire_value(&m, T_FLAGS, 2, 4);
    if (pidfd >= 0)
        wire_fd(&m, T_PIDFD, pidfd);
    send_or_go(&m);
    if (pidfd >= 0)
        close(pidfd);
}

/* How many were asked for, by LOG. */
static int commands(const char *path)
{
    char line[64];
    int count = 0;
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        count += strncmp(line, "command ", 8) == 0;
    if (file)
        fclose(file);
    return count;
}

static void fork_one(wire_message *asked, bool badly)
{
    uint64_t birth = wire_find(asked, T_BIRTH, 0, 0);
    int end = asked->fd_count ? asked->fds[0] : -1, pidfd;
    note("command", (long)birth);
    if (badly && is("die")) {
        kill(getpid(), SIGKILL);
        pause();
    }
    if (badly && is("leave")) {
        plain(W_LEAVING, 0);
        exit(0);
    }
    if (badly && is("end"))
        exit(0);
    if (badly && is("stop"))
        raise(SIGSTOP);
    if ((badly && is("silent")) || (is("old-stops") && generation == 1 && commands(log_path) > 3))
        return;
    if (badly && (is("refuse") || is("refuse-oddly"))) {
        wire_message m = begin(W_REFUSED);
        const char *text = "3 threads: main, worker, gc";
        wire_value(&m, T_BIRTH, birth, 8);
        wire_value(&m, T_STATUS, is("refuse") ? (uint64_t)(uint32_t)PS_ERR_STATE : 77, 4);
        wire_bytes(&m, T_TEXT, text, strlen(text));
        send_or_go(&m);
        close(end);
        return;
    }
    if (badly && is("hello-itself")) {
        hello(end, birth, 1);
        return;
    }
    if (badly && is("hello-of-another")) {
        /* Somebody who is the host's child, but not born of us: it got the end from us. */
        pid_t other = fork();
        if (other == 0) {
            pid_t parent = getpid();
            if (fork() == 0) {
                /* It descends from us until then. */
                while (getppid() == parent)
                    usleep(1000);
                work(end, birth, false);
            }
            _exit(0);
        }
        waitpid(other, NULL, 0);
        return;
    }
    if (badly && is("flood"))
        for (;;) {
            wire_message m = begin(W_BORN);
            wire_value(&m, T_BIRTH, birth, 8);
            send_or_go(&m);
        }
    if (badly && is("tells-of-ends")) {
        /* For ever, and reads nothing. It is stopped by the end of its channel. */
        for (uint64_t of = 0;; of++)
            plain(W_ENDED, of % 7);
    }
    if (badly && is("garbage"))
        for (int i = 0; i < 1000; i++) {
            wire_message m = begin((uint16_t)i);
            for (size_t at = 24; at < 24 + (size_t)(i % 300); at++)
                m.bytes[m.length++] = (unsigned char)(at * 7 + (size_t)i * 13);
            if (i % 5 == 0)
                m.fds[m.fd_count++] = 2;
            send_or_go(&m);
        }
    if (badly && is("pass-on")) {
        /* Another child of the host gets the end, and says what a worker would. */
        struct sockaddr_un at = {.sun_family = AF_UNIX};
        snprintf(at.sun_path, sizeof at.sun_path, "%s", getenv("ACCOMPLICE"));
        int to = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        wire_message m = wire_begin(W_GO, birth, 1);
        m.fds[m.fd_count++] = end;
        if (connect(to, (struct sockaddr *)&at, sizeof at) || wire_send(to, &m))
            _exit(95);
        close(to);
        close(end);
        return;
    }
    if (badly && is("die-after-clone")) {
        pid_t pid = make(end, birth, false, &pidfd);
        (void)pid;
        kill(getpid(), SIGKILL);
    }
    if (badly && is("slow"))
        usleep(3000);
    pid_t pid = make(end, birth, badly, &pidfd);
    if (badly && is("names-its-parent"))
        born(birth, getppid(), (int)syscall(SYS_pidfd_open, getppid(), 0));
    else if (badly && is("names-itself"))
        born(birth, getpid(), (int)syscall(SYS_pidfd_open, getpid(), 0));
    else if (!(badly && is("does-not-name")))
        born(birth, pid, pidfd);
    if (!(badly && is("keeps-the-end")))
        close(end);
}

/* raw_preloader LOG accomplice PATH: no preloader, but a child of the host that says HELLO on the end that a preloader sends it. */
static int accomplice(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    wire_message m;
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 1))
        return 95;
    note("listens", getpid());
    for (;;) {
        int from = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (from < 0 || !wire_receive(from, &m) || m.fd_count != 1)
            return 94;
        int end = m.fds[0];
        hello(end, m.id, 1);
        bool opened = wire_receive(end, &m) && m.kind == W_GO;
        note(opened ? "opened" : "refused", getpid());
        close(end);
        close(from);
    }
}

int main(int argc, char **argv)
{
    const char *number = getenv("PROCSUP_PRELOAD_FD");
    if (argc > 3 && strcmp(argv[2], "accomplice") == 0) {
        mode = "ok";
        log_fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        return accomplice(argv[3]);
    }
    if (argc < 3 || !number)
        return 97;
    mode = argv[2];
    log_path = argv[1];
    int wrong = argc > 3 ? atoi(argv[3]) : -1;
    channel = atoi(number);
    fcntl(channel, F_SETFD, FD_CLOEXEC);
    log_fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    note("preloader", getpid());
    printf("loads %s\n", mode);
    fflush(stdout);
    signal(SIGCHLD, SIG_DFL);
    if (is("exit"))
        return 3;
    if (is("never-opens"))
        for (;;)
            pause();
    wire_message m;
    if (!wire_receive(channel, &m) || m.kind != W_HELLO)
        return 96;
    generation = m.id;
    if (is("grandchild-opens")) {
        if (fork() == 0) {
            hello(channel, generation, ++said);
            pause();
        }
        pause();
    }
    hello(channel, generation, ++said);
    if (is("exit-after-hello"))
        return 4;
    if (is("never-loads"))
        for (;;)
            pause();
    if (is("closes")) {
        close(channel);
        for (;;)
            pause();
    }
    if (is("fails")) {
        wire_message f = begin(W_FAILED);
        const char *text = "no module named \x1b[2Jshop";
        wire_bytes(&f, T_TEXT, text, strlen(text));
        send_or_go(&f);
        pause();
    }
    wire_message ready = begin(W_READY);
    wire_value(&ready, T_FLAGS, 3, 4);
    send_or_go(&ready);
    for (;;) {
        struct pollfd watched = {.fd = channel, .events = POLLIN};
        if (poll(&watched, 1, 20) == 0) {
            /* The libc way: who has ended is told, and stays a zombie until the host has seen how. */
            siginfo_t info = {.si_pid = 0};
            if (strncmp(mode, "libc", 4) == 0 && waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
                static pid_t told;
                if (told != info.si_pid) {
                    told = info.si_pid;
                    wire_message e = begin(W_ENDED);
                    wire_value(&e, T_BIRTH, 0, 8);
                    wire_value(&e, T_PID, (uint64_t)told, 4);
                    send_or_go(&e);
                }
            }
            continue;
        }
        if (!wire_receive(channel, &m))
            break;
        switch (m.kind) {
        case W_FORK:
            fork_one(&m, wrong < 0 || commands(argv[1]) < wrong);
            break;
        case W_CANCEL:
            note("cancel", (long)wire_find(&m, T_BIRTH, 0, 0));
            break;
        case W_RELEASE:
            note("release", (long)wire_find(&m, T_BIRTH, 0, 0));
            while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
            break;
        case W_STOP:
            note("stop", 0);
            if (is("deaf"))
                for (;;)
                    pause();
            return 0;
        }
    }
    note("end", 0);
    return 0;
}
