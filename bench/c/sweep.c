/* A supervisor of the usual kind: a SIGCHLD handler that writes into a pipe, an event loop that reads it, and then
 * waitpid(WNOHANG) for every child there is, because signals merge and the pipe cannot say who ended. The list is an
 * array of pids, the cheapest there can be. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define PATIENCE_MS 60000

static int bell[2];

static void on_sigchld(int number)
{
    int saved = errno;
    ssize_t written = write(bell[1], "", 1); /* full: a byte is there already */
    (void)number, (void)written;
    errno = saved;
}

int bench_sweep_init(void)
{
    struct sigaction action = {.sa_handler = on_sigchld, .sa_flags = SA_RESTART | SA_NOCLDSTOP};
    if (pipe2(bell, O_CLOEXEC | O_NONBLOCK) != 0 || sigaction(SIGCHLD, &action, NULL) != 0)
        return -errno;
    return 0;
}

int bench_sweep_fill(const char *path, pid_t *pids, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) {
        int pidfd, status;
        if (pids[i] != 0)
            continue;
        status = bench_floor_spawn(path, &pids[i], &pidfd);
        if (status != 0)
            return status;
        close(pidfd);
    }
    return 0;
}

int bench_sweep_take(pid_t *pids, size_t n, size_t exits)
{
    struct pollfd waiting = {.fd = bell[0], .events = POLLIN};
    while (exits > 0) {
        char bytes[256];
        size_t i;
        int ready = poll(&waiting, 1, PATIENCE_MS);
        if (ready < 0 && errno == EINTR)
            continue; /* the handler has run, so the pipe is readable now */
        if (ready <= 0)
            return ready == 0 ? -ETIMEDOUT : -errno;
        if (read(bell[0], bytes, sizeof bytes) < 0 && errno != EAGAIN)
            return -errno;
        for (i = 0; i < n; i++) {
            int status;
            pid_t pid;
            if (pids[i] == 0)
                continue;
            pid = waitpid(pids[i], &status, WNOHANG);
            if (pid < 0)
                return -errno;
            if (pid > 0) {
                pids[i] = 0;
                if (exits-- == 0)
                    return -EIO;
            }
        }
    }
    return 0;
}

/* What the kernel alone charges for the end of a child: the host knows who will end and waits for that one. */
int bench_floor_take(pid_t *pids, const size_t *places, size_t exits)
{
    size_t i;
    for (i = 0; i < exits; i++) {
        int status;
        pid_t *pid = &pids[places[i]];
        while (waitpid(*pid, &status, 0) != *pid)
            if (errno != EINTR)
                return -errno;
        *pid = 0;
    }
    return 0;
}

/* In a function of its own: what else lives in registers is safe from the child. */
static pid_t __attribute__((noinline)) start(const char *path)
{
    char *argv[] = {(char *)path, NULL};
    pid_t pid = vfork();
    if (pid == 0) {
        setpgid(0, 0);
        execve(path, argv, environ);
        _exit(127);
    }
    return pid;
}

/* The least that a program with a limit can do: vfork, and waitpid(-1) whenever all slots are taken. A library cannot
 * wait for just any child, since not all children of its host are its own. */
int bench_floor_storm(const char *path, size_t jobs, size_t slots)
{
    size_t started = 0, running = 0;
    while (started < jobs || running > 0) {
        if (started < jobs && running < slots) {
            if (start(path) < 0)
                return -errno;
            started++, running++;
        } else {
            int status;
            if (waitpid(-1, &status, 0) < 0) {
                if (errno == EINTR)
                    continue;
                return -errno;
            }
            if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return -ECHILD;
            running--;
        }
    }
    return 0;
}
