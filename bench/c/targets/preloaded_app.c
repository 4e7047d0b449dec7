/* An application that is loaded once and forked from: a preloader of procsup, and, between two of its forks, the floors that are measured in it.
 * It stays one process with one memory for all ways, so a ratio of two of them is not one of two applications.
 *
 *     preloaded_app LIBRARY|- MIB ORDERS HOW COLLAPSE SERVE
 *
 * LIBRARY: libprocsup, "-" for none (then only the floors are served). MIB: the size of the application, in touched pages of 4 KiB. ORDERS: a unix
 * socket, the harness. HOW: what ps_preload_ready is told. COLLAPSE: 1: the application's pages may be huge, and are collapsed before the first fork.
 * SERVE: 1: a worker serves requests over a connection of its own (P8-share), 0: it is silent when it has said that it is ready.
 *
 * Orders, one byte each, with descriptors where said; each is answered:
 *
 *   f  fork(3); the child writes a byte, which is read here: answers the nanoseconds            the floor of P8
 *   s  + a socket: a sibling (CLONE_PARENT) by hand; it waits at that gate for a byte, then says it is ready there. Answers its pid, with its pidfd
 *   p  + a socket: a fork that says every message it gets there back, after closing what came with it. Answers its pid        the floors of P8-pool
 *   w  fork(3), a worker that serves, as the library's do. Answers its pid                     the floor of P8-share */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKER = 1, STOP = 2, MAX_FDS = 4, MAX_BEGUN = 16 };

typedef int32_t (*open_call)(void **, void **);
typedef int32_t (*plain_call)(void *, void **);
typedef int32_t (*how_call)(void *, int32_t, void **);
typedef int32_t (*number_call)(void *, int32_t *, void **);
typedef int32_t (*fork_call)(void *, int64_t, int32_t *, void **);

static unsigned char *table;
static size_t table_size;
static const char *orders_path;

static void die(const char *what)
{
    fprintf(stderr, "preloaded_app: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* A heap as it is where huge pages are not asked for, also on a machine that gives them to everybody. */
static void load(size_t mib, int collapse)
{
    const size_t huge = 2 << 20;
    table_size = mib << 20;
    table = mmap(NULL, table_size + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED)
        die("memory");
    table = (unsigned char *)(((uintptr_t)table + huge - 1) & ~(huge - 1));
    madvise(table, table_size, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < table_size; at += 64)
        table[at] = (unsigned char)(at >> 6);
    if (collapse)
        madvise(table, table_size, MADV_HUGEPAGE); /* undoes the other: it is the collapse's to make them huge */
}

static int connect_to_harness(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", orders_path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        die(orders_path);
    return fd;
}

static ssize_t take(int socket, void *bytes, size_t cap, int *fds, size_t *count)
{
    char control[CMSG_SPACE(MAX_FDS * sizeof(int))];
    struct iovec data = {bytes, cap};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t got;
    do
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    struct cmsghdr *part = got < 0 ? NULL : CMSG_FIRSTHDR(&message);
    *count = part ? (part->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
    if (*count)
        memcpy(fds, CMSG_DATA(part), *count * sizeof(int));
    return got;
}

static void answer(int socket, uint64_t number, int fd)
{
    char control[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec data = {&number, sizeof number};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(part), &fd, sizeof fd);
    }
    if (sendmsg(socket, &message, MSG_NOSIGNAL) != sizeof number)
        die("an answer");
}

/* ---- what a worker does ---- */

/* A request, as an application's mostly are: looks something up in what was loaded, works in memory of its own, counts. */
static uint64_t one_request(uint32_t *seed, uint64_t *hits)
{
    uint64_t sum = 0;
    unsigned char *mine = malloc(16 << 10);
    for (int i = 0; i < 64; i++) {
        *seed = *seed * 1664525 + 1013904223;
        sum += table[*seed % table_size];
    }
    memset(mine, (int)sum, 16 << 10);
    sum += mine[sum % (16 << 10)];
    free(mine);
    hits[sum % 64]++;
    return sum;
}

/* One byte for each request, answered with one; 'q' or the end of the harness ends it. */
static void serve(void)
{
    static uint64_t hits[64];
    uint32_t seed = (uint32_t)getpid();
    int fd = connect_to_harness();
    answer(fd, (uint64_t)getpid(), -1);
    for (char byte; recv(fd, &byte, 1, 0) == 1 && byte != 'q';) {
        byte = (char)one_request(&seed, hits);
        if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
            break;
    }
    _exit(0);
}

static void be_silent(void)
{
    for (;;)
        pause();
}

/* ---- the floors ---- */

/* Of the floors that have ended since. The library's workers are children of this process as well, if they are no siblings: they are not ours to reap. */
static pid_t begun[MAX_BEGUN];

static pid_t remember(pid_t pid)
{
    for (size_t i = 0; i < MAX_BEGUN; i++)
        if (begun[i] == 0) {
            begun[i] = pid;
            return pid;
        }
    errno = ENOSPC;
    die("too many of them live");
    return 0;
}

static void bury(void)
{
    for (size_t i = 0; i < MAX_BEGUN; i++)
        if (begun[i] != 0 && waitpid(begun[i], NULL, WNOHANG) != 0)
            begun[i] = 0;
}

static void floor_of_a_fork(int orders)
{
    int pair[2];
    char byte = 'r';
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        die("socketpair");
    uint64_t begun = now();
    pid_t pid = fork();
    if (pid == 0) {
        if (send(pair[1], &byte, 1, MSG_NOSIGNAL) == 1)
            be_silent();
        _exit(1);
    }
    if (pid < 0 || recv(pair[0], &byte, 1, 0) != 1)
        die("a fork");
    uint64_t took = now() - begun;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(pair[0]);
    close(pair[1]);
    answer(orders, took, -1);
}

static void floor_of_a_sibling(int orders, int gate)
{
    int pidfd = -1;
    char byte;
    long pid = syscall(SYS_clone, CLONE_PARENT | CLONE_PIDFD | SIGCHLD, NULL, &pidfd, NULL, NULL);
    if (pid == 0) {
        close(orders);
        if (recv(gate, &byte, 1, 0) == 1 && send(gate, "r", 1, MSG_NOSIGNAL) == 1)
            be_silent();
        _exit(1);
    }
    if (pid < 0)
        die("a sibling");
    answer(orders, (uint64_t)pid, pidfd);
    close(pidfd);
    close(gate);
}

static void floor_of_a_pool(int orders, int line)
{
    pid_t pid = fork();
    if (pid == 0) {
        char byte;
        int fds[MAX_FDS];
        size_t count;
        close(orders);
        while (take(line, &byte, 1, fds, &count) == 1) {
            for (size_t i = 0; i < count; i++)
                close(fds[i]);
            if (send(line, &byte, 1, MSG_NOSIGNAL) != 1)
                break;
        }
        _exit(0);
    }
    if (pid < 0)
        die("a worker for the pool");
    close(line);
    answer(orders, (uint64_t)remember(pid), -1);
}

static void floor_of_a_server(int orders)
{
    pid_t pid = fork();
    if (pid == 0) {
        close(orders);
        serve();
    }
    if (pid < 0)
        die("a worker");
    answer(orders, (uint64_t)remember(pid), -1);
}

static void obey(int orders)
{
    char order;
    int fds[MAX_FDS] = {-1};
    size_t count;
    bury();
    if (take(orders, &order, 1, fds, &count) != 1)
        exit(0);
    switch (order) {
    case 'f': floor_of_a_fork(orders); break;
    case 's': floor_of_a_sibling(orders, fds[0]); break;
    case 'p': floor_of_a_pool(orders, fds[0]); break;
    case 'w': floor_of_a_server(orders); break;
    default: errno = EPROTO; die("an order");
    }
}

/* ---- the library ---- */

static void *library;

static void *call(const char *name)
{
    void *found = dlsym(library, name);
    if (!found) {
        fprintf(stderr, "preloaded_app: %s\n", dlerror());
        exit(1);
    }
    return found;
}

static void check(const char *what, int32_t status, void *error)
{
    if (status != 0) {
        const char *(*message)(const void *) = call("ps_error_message");
        fprintf(stderr, "preloaded_app: %s: %s\n", what, message(error));
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    int collapse = atoi(argv[5]), is_server = atoi(argv[6]), orders, readable = -1, role = 0;
    void *preload = NULL, *error = NULL;
    orders_path = argv[3];
    load((size_t)atoi(argv[2]), collapse);
    orders = connect_to_harness();
    if (strcmp(argv[1], "-") == 0) {
        if (collapse)
            madvise(table, table_size, 25 /* MADV_COLLAPSE */);
        answer(orders, (uint64_t)getpid(), -1);
        for (;;)
            obey(orders);
    }
    library = dlopen(argv[1], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "preloaded_app: %s\n", dlerror());
        return 1;
    }
    fork_call next = (fork_call)call("ps_preload_fork");
    plain_call ready = (plain_call)call("ps_worker_ready");
    check("ps_preload_open", ((open_call)call("ps_preload_open"))(&preload, &error), error);
    check("ps_preload_fd", ((number_call)call("ps_preload_fd"))(preload, &readable, &error), error);
    check("ps_preload_ready", ((how_call)call("ps_preload_ready"))(preload, atoi(argv[4]), &error), error);
    answer(orders, (uint64_t)getpid(), -1);
    for (;;) {
        struct pollfd wanted[] = {{readable, POLLIN, 0}, {orders, POLLIN, 0}};
        if (poll(wanted, 2, -1) < 0 && errno != EINTR)
            die("poll");
        if (wanted[1].revents)
            obey(orders);
        if (!wanted[0].revents)
            continue;
        check("ps_preload_fork", next(preload, 0, &role, &error), error);
        if (role == STOP)
            return 0;
        if (role == WORKER) {
            close(orders);
            check("ps_worker_ready", ready(preload, &error), error);
            if (is_server)
                serve();
            be_silent();
        }
    }
}
