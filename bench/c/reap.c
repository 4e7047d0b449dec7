/* The two raw loops that procsup is held against when there are many children: a supervisor without pidfds that asks
 * waitpid about every child it has, and the plainest way to kill and reap a list of process groups. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID_PIDFD 3 /* P_PIDFD of waitid */

/* The whole table is asked: SIGCHLD signals merge, so such a supervisor cannot stop at the first child that it finds. */
int bench_waitpid_sweep(const pid_t *pids, size_t n, size_t *reaped)
{
    size_t i, found = 0;
    for (i = 0; i < n; i++) {
        int status;
        pid_t pid = waitpid(pids[i], &status, WNOHANG);
        if (pid < 0)
            return -errno;
        if (pid > 0) {
            *reaped = i;
            found++;
        }
    }
    return found == 1 ? 0 : -ESRCH;
}

int bench_kill_and_reap(const pid_t *pids, const int *pidfds, size_t n)
{
    size_t i;
    int status = 0;
    siginfo_t info;
    for (i = 0; i < n; i++)
        if (kill(-pids[i], SIGKILL) != 0)
            status = -errno;
    for (i = 0; i < n; i++) {
        if (syscall(SYS_waitid, ID_PIDFD, pidfds[i], &info, WEXITED, NULL) != 0)
            status = -errno;
        close(pidfds[i]);
    }
    return status;
}
