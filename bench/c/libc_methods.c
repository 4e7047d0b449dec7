/* What a C program gets from its C library: vfork, posix_spawn and fork, each with a process group of its own for the
 * child, as procsup gives by default. posix_spawn also empties the signal mask and resets every disposition, because
 * procsup and libuv do that work too. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int reap(pid_t pid)
{
    int status;
    if (pid < 0)
        return -errno;
    while (waitpid(pid, &status, 0) != pid)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

int bench_vfork_cycle(const char *path)
{
    char *argv[] = {(char *)path, NULL};
    pid_t pid = vfork();
    if (pid == 0) {
        setpgid(0, 0);
        execve(path, argv, environ);
        _exit(127);
    }
    return reap(pid);
}

int bench_fork_cycle(const char *path)
{
    char *argv[] = {(char *)path, NULL};
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        execve(path, argv, environ);
        _exit(127);
    }
    return reap(pid);
}

int bench_posix_spawn_cycle(const char *path)
{
    static posix_spawnattr_t attributes; /* made once: a caller that spawns often keeps them */
    static int made;
    char *argv[] = {(char *)path, NULL};
    pid_t pid;
    int error;

    if (!made) {
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        made = 1;
    }
    error = posix_spawn(&pid, path, NULL, &attributes, argv, environ);
    return error != 0 ? -error : reap(pid);
}
