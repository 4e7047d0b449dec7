/* The floor: what the kernel alone charges. One clone3 with its own stack, a child that makes exactly two calls
 * (setpgid, execve), and a parent that waits on the pidfd and closes it. No error report from the child, no masks, no
 * closing of descriptors: a library can come near this figure, never below it, except by giving the kernel less to
 * copy. */
#define _GNU_SOURCE
#include "bench.h"
#include "clone3.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct order {
    const char *path;
    char *const *argv;
};

#if defined(__x86_64__)
__asm__(".text\n.globl bench_clone3\n.type bench_clone3,@function\n"
        "bench_clone3:\n"
        "    mov %rdx, %r8\n" /* rcx and r11 do not survive a system call, r8 and r9 do */
        "    mov %rcx, %r9\n"
        "    mov $435, %eax\n"
        "    syscall\n"
        "    test %rax, %rax\n"
        "    jz 1f\n"
        "    ret\n"
        "1:  xor %ebp, %ebp\n"
        "    mov %r9, %rdi\n"
        "    call *%r8\n"
        "    hlt\n"
        ".size bench_clone3, . - bench_clone3\n");
#elif defined(__aarch64__)
__asm__(".text\n.globl bench_clone3\n.type bench_clone3,%function\n"
        "bench_clone3:\n"
        "    mov x8, #435\n"
        "    svc #0\n"
        "    cbz x0, 1f\n"
        "    ret\n"
        "1:  mov x29, xzr\n"
        "    mov x0, x3\n"
        "    blr x2\n"
        "    brk #0\n"
        ".size bench_clone3, . - bench_clone3\n");
#else
#error "the floor is written for x86_64 and aarch64"
#endif

static void child(void *argument)
{
    const struct order *order = argument;
    syscall(SYS_setpgid, 0, 0);
    syscall(SYS_execve, order->path, order->argv, environ);
    syscall(SYS_exit, 127);
}

int bench_floor_spawn(const char *path, pid_t *pid, int *pidfd)
{
    /* One is enough: CLONE_VFORK holds us until the child has left it. */
    static char stack[16384] __attribute__((aligned(64)));
    char *argv[] = {(char *)path, NULL};
    struct order order = {path, argv};
    struct clone_arguments arguments = {
        .flags = FLAG_VM | FLAG_VFORK | FLAG_PIDFD | FLAG_CLEAR_SIGHAND,
        .pidfd = (uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
        .stack = (uintptr_t)stack,
        .stack_size = sizeof stack,
    };
    long made = bench_clone3(&arguments, sizeof arguments, child, &order);
    if (made < 0)
        return (int)made;
    *pid = (pid_t)made;
    return 0;
}

int bench_floor_cycle(const char *path)
{
    pid_t pid;
    int pidfd;
    siginfo_t info;
    int status = bench_floor_spawn(path, &pid, &pidfd);
    if (status != 0)
        return status;
    if (syscall(SYS_waitid, ID_PIDFD, pidfd, &info, WEXITED, NULL) != 0)
        status = -errno;
    else if (info.si_code != CLD_EXITED || info.si_status != 0)
        status = -ECHILD;
    close(pidfd);
    return status;
}
