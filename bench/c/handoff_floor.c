/* The floor of a handoff: one process sends a listener over a SOCK_SEQPACKET socket, the other one sleeps in recvmsg for
 * it. Nothing else happens between the two time stamps; whatever a library adds, it adds to this. It depends on how long
 * both have slept, for caches get cold. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int pass(int socket, int fd)
{
    char control[CMSG_SPACE(sizeof fd)] = {0}, byte = 'c';
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(part), &fd, sizeof fd);
    return sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

static int take(int socket)
{
    char control[CMSG_SPACE(sizeof(int))], byte;
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int fd = -1;
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

static void successor(int socket, volatile uint64_t *taken)
{
    for (;;) {
        int fd = take(socket);
        *taken = now();
        if (fd < 0 || send(socket, "l", 1, MSG_NOSIGNAL) != 1)
            _exit(0);
        close(fd);
    }
}

int bench_handoff_floor(size_t count, uint64_t silence_ns, uint64_t *ns)
{
    int pair[2], status = 0, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char byte;
    volatile uint64_t *taken = mmap(NULL, sizeof *taken, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (taken == MAP_FAILED || listener < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[0]);
        successor(pair[1], taken);
    }
    close(pair[1]);
    /* The first pass does not count: fork has left page faults to both. */
    for (size_t i = 0; pid > 0 && status == 0 && i <= count; i++) {
        struct timespec silence = {(time_t)(silence_ns / 1000000000), (long)(silence_ns % 1000000000)};
        if (i > 0)
            nanosleep(&silence, NULL);
        uint64_t sent = now();
        status = pass(pair[0], listener);
        if (status == 0 && recv(pair[0], &byte, 1, 0) != 1)
            status = -EPIPE;
        if (i > 0)
            ns[i - 1] = *taken - sent;
    }
    if (pid < 0)
        status = -EAGAIN;
    close(pair[0]);
    close(listener);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    munmap((void *)taken, sizeof *taken);
    return status;
}
