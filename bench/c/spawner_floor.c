/* The floor of a spawner: what bare processes take. A fork of the harness receives requests of 400 bytes, makes each child by
 * clone3(CLONE_PARENT | CLONE_PIDFD | CLONE_VM | CLONE_VFORK), so that it is the harness's own, and sends the pidfd back. Beside it the same
 * jobs made directly, with the same loop around them: one epoll set, a wait on each pidfd. In both each job is at its place, and what a
 * host waits for is its call alone: one sendmsg here, the clone (until the exec) there. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};
long bench_clone3(struct clone_arguments *arguments, size_t size, void (*entry)(void *), void *argument);

#define FLAG_VM 0x00000100ULL
#define FLAG_PIDFD 0x00001000ULL
#define FLAG_VFORK 0x00004000ULL
#define FLAG_PARENT 0x00008000ULL
#define ID_PIDFD 3

struct request {
    char path[400];
};

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void child(void *argument)
{
    char *argv[] = {argument, NULL};
    syscall(SYS_setpgid, 0, 0);
    syscall(SYS_execve, argument, argv, environ);
    syscall(SYS_exit, 127);
}

static long make(const char *path, uint64_t flags, int *pidfd)
{
    static char stack[16384] __attribute__((aligned(64)));
    struct clone_arguments arguments = {
        .flags = FLAG_VM | FLAG_VFORK | FLAG_PIDFD | flags,
        .pidfd = (uintptr_t)pidfd,
        .exit_signal = flags & FLAG_PARENT ? 0 : SIGCHLD,
        .stack = (uintptr_t)stack,
        .stack_size = sizeof stack,
    };
    return bench_clone3(&arguments, sizeof arguments, child, (void *)path);
}

union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static void __attribute__((noreturn)) serve(int channel)
{
    struct request request;
    while (recv(channel, &request, sizeof request, 0) == (ssize_t)sizeof request) {
        int pidfd = -1;
        union control control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
        long made = make(request.path, FLAG_PARENT, &pidfd);
        struct iovec iov = {&made, sizeof made};
        struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
        if (made < 0)
            message.msg_control = NULL, message.msg_controllen = 0;
        else
            memcpy(CMSG_DATA(&control.head), &pidfd, sizeof pidfd);
        if (sendmsg(channel, &message, MSG_NOSIGNAL) < 0)
            break;
        close(pidfd);
    }
    _exit(0);
}

/* The child of one request, if a reply is there; -EAGAIN: there is none now. */
static int replied(int channel)
{
    long made = 0;
    int pidfd;
    union control control;
    struct iovec iov = {&made, sizeof made};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0)
        return -errno;
    if (got == 0)
        return -EPIPE;
    if (made < 0)
        return (int)made;
    memcpy(&pidfd, CMSG_DATA(&control.head), sizeof pidfd);
    return pidfd;
}

static int watch(int events, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(events, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

/* `channel` < 0: directly. */
static int storm(int events, int channel, const char *path, size_t jobs, size_t slots, uint64_t *call_ns)
{
    struct request request = {{0}};
    size_t started = 0, ended = 0;
    int status;
    strncpy(request.path, path, sizeof request.path - 1);
    while (ended < jobs) {
        struct epoll_event ready[32];
        int count, i;
        while (started < jobs && started - ended < slots) {
            uint64_t begun = now();
            if (channel >= 0) {
                if (send(channel, &request, sizeof request, MSG_NOSIGNAL) != (ssize_t)sizeof request)
                    return -errno;
                call_ns[started++] = now() - begun;
            } else {
                int pidfd;
                long made = make(path, 0, &pidfd);
                call_ns[started++] = now() - begun;
                if (made < 0)
                    return (int)made;
                if ((status = watch(events, pidfd)) != 0)
                    return status;
            }
        }
        count = epoll_wait(events, ready, 32, 60000);
        if (count <= 0)
            return count == 0 ? -ETIMEDOUT : -errno;
        for (i = 0; i < count; i++) {
            int fd = ready[i].data.fd;
            siginfo_t info;
            if (fd == channel) {
                while ((status = replied(channel)) >= 0)
                    if ((status = watch(events, status)) != 0)
                        return status;
                if (status != -EAGAIN)
                    return status;
                continue;
            }
            /* Out of the set before it is closed: the spawner may still have its copy, and that keeps the entry alive. */
            epoll_ctl(events, EPOLL_CTL_DEL, fd, NULL);
            if (syscall(SYS_waitid, ID_PIDFD, fd, &info, WEXITED, NULL) != 0)
                return -errno;
            if (info.si_code != CLD_EXITED || info.si_status != 0)
                return -ECHILD;
            close(fd);
            ended++;
        }
    }
    return 0;
}

int bench_spawner_floor(const char *path, size_t jobs, size_t slots, int direct, uint64_t *call_ns, uint64_t *all_ns)
{
    int pair[2] = {-1, -1}, status, events = epoll_create1(EPOLL_CLOEXEC);
    pid_t spawner = -1;
    if (events < 0)
        return -errno;
    if (!direct) {
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
            return -errno;
        spawner = fork();
        if (spawner == 0) {
            close(pair[0]);
            serve(pair[1]);
        }
        close(pair[1]);
        if (spawner < 0 || (status = watch(events, pair[0])) != 0)
            return spawner < 0 ? -errno : status;
    }
    status = storm(events, pair[0], path, slots < jobs ? slots : jobs, slots, call_ns); /* warm */
    if (status == 0) {
        uint64_t begun = now();
        status = storm(events, pair[0], path, jobs, slots, call_ns);
        *all_ns = now() - begun;
    }
    close(events);
    if (!direct) {
        close(pair[0]);
        waitpid(spawner, NULL, 0);
    }
    return status;
}
