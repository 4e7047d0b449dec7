/*
 * A daemon that speaks protocol v1 of the crate beyond-handoff, in C and without any library. It answers each connection on descriptor 3 with a line:
 * its number, and what it was started with.
 *
 *   v1_daemon CONTROL [MODE]
 *
 * A successor with a MODE does not behave: flood (heartbeats without an end), order (READY before its turn), long (a frame of 2 MiB), thief (another
 * process greets in its name), drip (a byte now and then), quit (it ends when it has begun).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LISTENER = 3, HELLO = 0, HELLO_ACK, PREPARE, DRAINED, SEAL_REQUEST, SEAL_COMPLETE = 6, BEGIN = 8, READY, COMMIT, ABORT, RESUME, HEARTBEAT };

static const char *control;
static int lock_fd = -1, serves, owns;
static char facts[256];

static void die(const char *what)
{
    perror(what);
    _exit(1);
}

/* ---- frames ---- */

static void say(int fd, const uint8_t *payload, size_t length)
{
    uint8_t frame[256];
    uint32_t whole = (uint32_t)length + 2;
    memcpy(frame, &whole, 4);
    frame[4] = 1;
    frame[5] = 0;
    memcpy(frame + 6, payload, length);
    if (send(fd, frame, length + 6, MSG_NOSIGNAL) < 0 && !owns) /* to one that serves it is the end of a session */
        _exit(5);
}

static void say_hello(int fd, int role, uint32_t pid)
{
    uint8_t bytes[32] = {HELLO, (uint8_t)role};
    size_t at = 2;
    for (; pid > 127; pid >>= 7)
        bytes[at++] = (uint8_t)(pid | 128);
    bytes[at++] = (uint8_t)pid;
    const uint8_t rest[] = {0, 1, 1, 0}; /* no build id, versions 1 to 1, no capabilities */
    memcpy(bytes + at, rest, sizeof rest);
    say(fd, bytes, at + sizeof rest);
}

/* The kind of the next message, -1 at the end; the id is the 17 bytes behind the kind (behind the version in a HelloAck). */
static int hear(int fd, uint8_t id[17])
{
    uint8_t frame[1024];
    uint32_t length;
    if (recv(fd, &length, 4, MSG_WAITALL) != 4 || length < 3 || length > sizeof frame || recv(fd, frame, length, MSG_WAITALL) != (ssize_t)length)
        return -1;
    if (frame[2] != HEARTBEAT)
        memcpy(id, frame + (frame[2] == HELLO_ACK ? 4 : 3), 17);
    return frame[2];
}

static void say_of(int fd, int kind, const uint8_t id[17], const uint8_t *rest, size_t length)
{
    uint8_t bytes[128] = {(uint8_t)kind};
    memcpy(bytes + 1, id, 17);
    memcpy(bytes + 18, rest, length);
    say(fd, bytes, 18 + length);
}

/* ---- the daemon ---- */

/* As the crate does: for two seconds, then it gives up. */
static void take_lock(int wait)
{
    char path[128];
    int left = wait ? 200 : 0;
    snprintf(path, sizeof path, "%s.lock", control);
    lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_fd < 0)
        _exit(3);
    for (; flock(lock_fd, LOCK_EX | LOCK_NB) != 0; usleep(10000))
        if (left-- == 0)
            _exit(3);
}

static int bind_control(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%.90s.%d", control, (int)getpid());
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 8) != 0 || rename(address.sun_path, control) != 0)
        die("bind");
    return fd;
}

static void answer(void)
{
    char line[320];
    int fd = accept(LISTENER, NULL, NULL);
    if (fd < 0)
        return;
    int length = snprintf(line, sizeof line, "%d %s\n", (int)getpid(), facts);
    if (write(fd, line, (size_t)length) < 0)
        perror("write");
    close(fd);
}

/* 1: it is to exit. */
static int session(int fd)
{
    uint8_t id[17], rest[34] = {1, 42};
    say_hello(fd, 0, (uint32_t)getpid());
    for (;;) {
        switch (hear(fd, id)) {
        case HELLO_ACK:
            break;
        case PREPARE:
            serves = 0;
            say(fd, (const uint8_t[]){DRAINED, 2, 1}, 3);
            break;
        case SEAL_REQUEST:
            close(lock_fd);
            lock_fd = -1;
            say_of(fd, SEAL_COMPLETE, id, rest, sizeof rest);
            break;
        case COMMIT:
            return 1;
        case RESUME:
        case ABORT:
            if (lock_fd < 0)
                take_lock(0);
            serves = 1;
            break;
        case HEARTBEAT:
            say(fd, (const uint8_t[]){HEARTBEAT, 1}, 2);
            break;
        default:
            if (lock_fd < 0)
                take_lock(1);
            serves = 1;
            return 0;
        }
    }
}

static void serve(int socket)
{
    serves = owns = 1;
    for (;;) {
        struct pollfd set[2] = {{socket, POLLIN, 0}, {LISTENER, POLLIN, 0}};
        poll(set, 2, -1);
        if (set[1].revents != 0)
            answer();
        if (set[0].revents != 0) {
            int fd = accept(socket, NULL, NULL);
            if (fd >= 0 && session(fd) != 0)
                exit(0);
            close(fd);
        }
    }
}

static void look_around(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES"), *channel = getenv("HANDOFF_SOCK_FD");
    int open = 0;
    DIR *numbers = opendir("/proc/self/fd");
    for (struct dirent *entry; numbers != NULL && (entry = readdir(numbers)) != NULL;)
        open += atoi(entry->d_name) > 2 && atoi(entry->d_name) != dirfd(numbers);
    closedir(numbers);
    int flags = fcntl(LISTENER, F_GETFL);
    snprintf(facts, sizeof facts, "own=%d fds=%s names=%s channel=%s open=%d nonblock=%d", pid != NULL && atoi(pid) == getpid(), count ? count : "-",
             names ? names : "-", channel ? channel : "-", open, (flags & O_NONBLOCK) != 0);
}

static void misbehave(int fd, const char *mode, const uint8_t id[17])
{
    if (strcmp(mode, "order") == 0)
        say_of(fd, READY, id, (const uint8_t[]){0, 1, 0}, 3);
    if (strcmp(mode, "long") == 0) {
        if (send(fd, (const uint8_t[]){0, 0, 32, 0, 1, 0}, 6, MSG_NOSIGNAL) < 0)
            die("send");
        for (;;)
            pause(); /* ended for that; who went on would take the path of the owner without a word */
    }
    while (strcmp(mode, "flood") == 0)
        say(fd, (const uint8_t[]){HEARTBEAT, 1}, 2);
    for (int i = 0; strcmp(mode, "drip") == 0; i++) {
        if (send(fd, i == 0 ? "\0\0\20\0" : "x", i == 0 ? 4 : 1, MSG_NOSIGNAL) < 0)
            _exit(5);
        usleep(20000);
    }
}

static void succeed(int fd, const char *mode)
{
    uint8_t id[17];
    if (strcmp(mode, "thief") == 0) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            say_hello(fd, 1, (uint32_t)getppid());
            _exit(0);
        }
        waitpid(child, &status, 0);
    } else
        say_hello(fd, 1, (uint32_t)getpid());
    if (hear(fd, id) != HELLO_ACK)
        _exit(4);
    misbehave(fd, mode, id);
    int kind;
    while ((kind = hear(fd, id)) != BEGIN)
        if (kind != HEARTBEAT)
            _exit(4);
    if (strcmp(mode, "quit") == 0)
        _exit(9);
    take_lock(0);
    say_of(fd, READY, id, (const uint8_t[]){0, 1, 1, 42}, 4);
    close(fd);
    serve(bind_control());
}

int main(int argc, char **argv)
{
    const char *role = getenv("HANDOFF_ROLE"), *channel = getenv("HANDOFF_SOCK_FD");
    if (argc < 2)
        return 2;
    alarm(120);
    control = argv[1];
    look_around();
    if (role != NULL && channel != NULL)
        succeed(atoi(channel), argc > 2 ? argv[2] : "");
    take_lock(1);
    serve(bind_control());
}
