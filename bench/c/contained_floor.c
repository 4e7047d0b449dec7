/* The floor of a contained child: what the kernel alone charges for a pid namespace, a user namespace around it where this
 * is not root, and an init with the same duties (targets/init.c). One clone3 for the first process, which writes the
 * maps, makes the program in the same way, and executes init. No error reports, no closing of descriptors. */
#define _GNU_SOURCE
#include "bench.h"
#include "clone3.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *init_path;
static int fates;
static char maps[2][64];

static void program(void *path)
{
    char *argv[] = {path, NULL};
    uint64_t none = 0;
    syscall(SYS_setpgid, 0, 0);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
    syscall(SYS_execve, path, argv, environ);
    syscall(SYS_exit, 127);
}

static void write_map(const char *file, const char *text)
{
    long fd = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || syscall(SYS_write, fd, text, strlen(text)) < 0)
        syscall(SYS_exit, 126);
    syscall(SYS_close, fd);
}

static void first(void *path)
{
    static char stack[16384] __attribute__((aligned(64)));
    char *argv[] = {(char *)"init", NULL}, *envp[] = {NULL};
    struct clone_arguments arguments = {
        .flags = FLAG_VM | FLAG_VFORK, .exit_signal = SIGCHLD, .stack = (uintptr_t)stack, .stack_size = sizeof stack};
    if (maps[0][0]) {
        write_map("/proc/self/uid_map", maps[0]);
        write_map("/proc/self/setgroups", "deny");
        write_map("/proc/self/gid_map", maps[1]);
    }
    syscall(SYS_setpgid, 0, 0);
    if (bench_clone3(&arguments, sizeof arguments, program, path) == 2 && syscall(SYS_dup3, fates, 0, 0) == 0)
        syscall(SYS_execve, init_path, argv, envp);
    syscall(SYS_exit, 125);
}

void bench_contained_init(const char *path)
{
    init_path = path;
    fates = memfd_create("fates", MFD_CLOEXEC);
    if (geteuid() != 0) {
        snprintf(maps[0], sizeof maps[0], "%u %u 1\n", (unsigned)geteuid(), (unsigned)geteuid());
        snprintf(maps[1], sizeof maps[1], "%u %u 1\n", (unsigned)getegid(), (unsigned)getegid());
    }
}

int bench_contained_cycle(const char *path)
{
    static char stack[16384] __attribute__((aligned(64)));
    int pidfd = -1, status = 0;
    siginfo_t info;
    struct clone_arguments arguments = {
        .flags = FLAG_VM | FLAG_VFORK | FLAG_PIDFD | FLAG_CLEAR_SIGHAND | FLAG_NEWPID | (maps[0][0] ? FLAG_NEWUSER : 0),
        .pidfd = (uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
        .stack = (uintptr_t)stack,
        .stack_size = sizeof stack,
    };
    uint64_t all = ~UINT64_C(0), before;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, 8);
    long made = bench_clone3(&arguments, sizeof arguments, first, (void *)path);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
    if (made < 0)
        return (int)made;
    if (syscall(SYS_waitid, ID_PIDFD, pidfd, &info, WEXITED, NULL) != 0)
        status = -errno;
    else if (info.si_code != CLD_EXITED || info.si_status != 0)
        status = -ECHILD;
    uint32_t told;
    if (status == 0 && (pread(fates, &told, sizeof told, 0) != sizeof told || told != 0))
        status = -ECHILD;
    close(pidfd);
    return status;
}
