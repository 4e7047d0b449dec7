/* What each call of a spawn costs: the plainest cycle (vfork, execve, waitpid), and steps that a library adds to it, each of
 * which can be there or not. The child's calls are raw ones: it runs in our memory. */
#define _GNU_SOURCE
#include "bench.h"
#include "clone3.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define FLAG_FILES 0x00000400ULL
#define UNSHARE 2 /* CLOSE_RANGE_UNSHARE */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#define TO_GROUP 4 /* PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9 */

struct order {
    const char *path;
    char *const *argv;
    unsigned steps;
};

/* As the kernel has it; all zero: SIG_DFL. */
struct kernel_action {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

static const struct kernel_action by_default;

static void child(void *argument)
{
    const struct order *order = argument;
    if (order->steps & BENCH_UNSHARE)
        syscall(SYS_close_range, 3, ~0U, UNSHARE);
    if (order->steps & BENCH_GROUP)
        syscall(SYS_setpgid, 0, 0);
    if (order->steps & BENCH_RESET_29) {
        int number;
        for (number = 1; number < 32; number++)
            if (number != SIGKILL && number != SIGSTOP)
                syscall(SYS_rt_sigaction, number, &by_default, NULL, 8);
    } else if (order->steps & BENCH_RESETS) {
        syscall(SYS_rt_sigaction, SIGPIPE, &by_default, NULL, 8);
        syscall(SYS_rt_sigaction, SIGXFSZ, &by_default, NULL, 8);
    }
    if (order->steps & BENCH_MASK) {
        uint64_t none = 0;
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
    }
    syscall(SYS_execve, order->path, order->argv, environ);
    syscall(SYS_exit, 127);
}

/* In a function of its own: what else lives in registers is safe from the child. */
static pid_t __attribute__((noinline)) by_vfork(const char *path, char *const *argv)
{
    pid_t pid = vfork();
    if (pid == 0) {
        execve(path, argv, environ);
        _exit(127);
    }
    return pid;
}

static int plainest(const char *path, char *const *argv)
{
    int status;
    pid_t pid = by_vfork(path, argv);
    if (pid < 0)
        return -errno;
    while (waitpid(pid, &status, 0) != pid)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

/* One read of a file that stays open. */
static int read_file(int *fd, const char *path)
{
    char buffer[2048];
    if (*fd < 0)
        *fd = open(path, O_RDONLY | O_CLOEXEC);
    return *fd < 0 || pread(*fd, buffer, sizeof buffer, 0) < 0 ? -errno : 0;
}

/* Which signals are ignored, in one of four ways. (The fifth is not to ask: BENCH_RESET_29.) */
static int find_ignored(unsigned steps)
{
    static int status_fd = -1, stat_fd = -1;
    int number, last = steps & BENCH_ASK_62 ? 64 : steps & BENCH_ASK_31 ? 31 : 0;
    struct kernel_action action;
    for (number = 1; number <= last; number++) {
        if (steps & BENCH_ASK_62 && (number == SIGKILL || number == SIGSTOP))
            continue;
        if (syscall(SYS_rt_sigaction, number, NULL, &action, 8) != 0)
            return -errno;
    }
    if (steps & BENCH_STATUS)
        return read_file(&status_fd, "/proc/self/status");
    return steps & BENCH_STAT ? read_file(&stat_fd, "/proc/self/stat") : 0;
}

/* What is left of its group, which the zombie still holds. */
static void sweep(pid_t pid, int pidfd)
{
    static int by_number; /* before Linux 6.9 */
    if (!by_number && syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, TO_GROUP) != 0 && (errno == EINVAL || errno == ENOSYS))
        by_number = 1;
    if (by_number)
        kill(-pid, SIGKILL);
}

static int end(pid_t pid, int pidfd, unsigned steps)
{
    siginfo_t info;
    struct pollfd waiting = {.fd = pidfd, .events = POLLIN};
    if (steps & BENCH_POLL && poll(&waiting, 1, -1) != 1)
        return -errno;
    if (steps & BENCH_PEEK && syscall(SYS_waitid, ID_PIDFD, pidfd, &info, WEXITED | WNOWAIT, NULL) != 0)
        return -errno;
    if (steps & BENCH_SWEEP)
        sweep(pid, pidfd);
    if (syscall(SYS_waitid, ID_PIDFD, pidfd, &info, WEXITED, NULL) != 0)
        return -errno;
    return info.si_code == CLD_EXITED && info.si_status == 0 ? 0 : -ECHILD;
}

int bench_parts_cycle(const char *path, unsigned steps)
{
    static char stack[16384] __attribute__((aligned(64))); /* one is enough: CLONE_VFORK */
    char *argv[] = {(char *)path, NULL};
    struct order order = {path, argv, steps};
    int pidfd = -1, status = find_ignored(steps);
    struct clone_arguments arguments = {
        .flags = FLAG_VM | FLAG_VFORK | FLAG_PIDFD | FLAG_CLEAR_SIGHAND,
        .pidfd = (uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
        .stack = (uintptr_t)stack,
        .stack_size = sizeof stack,
    };
    long made;
    if (status != 0)
        return status;
    if (!(steps & BENCH_PIDFD))
        return plainest(path, argv);
    if (steps & BENCH_UNSHARE)
        arguments.flags |= FLAG_FILES;
    made = bench_clone3(&arguments, sizeof arguments, child, &order);
    if (made < 0)
        return (int)made;
    status = end((pid_t)made, pidfd, steps);
    close(pidfd);
    return status;
}
