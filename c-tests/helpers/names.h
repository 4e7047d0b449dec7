/*
 * Names of the system calls and errnos that the helpers `without` and `inject` are asked for. Calls that are not listed are known
 * as nr_<number>.
 */
#ifndef PROCSUP_NAMES_H
#define PROCSUP_NAMES_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

/* linux-libc-dev of older distributions lacks the newer ones; from 403 on all processors share the numbers. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

/* What tells the argument-dependent rules waitid-pidfd, pidfd-group, pidfd-info and peer-pidfd. */
#define WAIT_ON_PIDFD 3           /* P_PIDFD */
#define PEER_PIDFD 77              /* SO_PEERPIDFD */
#define SIGNAL_THE_GROUP 4        /* PIDFD_SIGNAL_PROCESS_GROUP */
#define PIDFD_GET_INFO 0xC040FF0Bul
#define PIDFD_GET_INFO_LOW 0xFF0B /* ioctl type 0xFF, number 11; size and direction stand above */

struct name {
    const char *text;
    int number;
};

#define CALL(name) {#name, SYS_##name}
static const struct name call_names[] = {
    CALL(brk),           CALL(capget),         CALL(capset),        CALL(chdir),         CALL(clock_gettime),
    CALL(clock_nanosleep), CALL(clone),        CALL(clone3),        CALL(close),         CALL(close_range),
    CALL(dup),           CALL(dup3),           CALL(epoll_create1), CALL(epoll_ctl),     CALL(epoll_pwait),
    CALL(epoll_pwait2),  CALL(eventfd2),       CALL(execve),        CALL(execveat),      CALL(exit),
    CALL(exit_group),    CALL(faccessat),      CALL(faccessat2),    CALL(fchdir),        CALL(fchmod),
    CALL(fchmodat),      CALL(fchmodat2),     CALL(fchown),        CALL(fcntl),         CALL(flock),
    CALL(fstat),
    CALL(fstatfs),       CALL(ftruncate),      CALL(futex),         CALL(getcwd),        CALL(getdents64),
    CALL(getegid),       CALL(geteuid),        CALL(getgid),        CALL(getgroups),     CALL(getpgid),
    CALL(getpid),        CALL(getppid),        CALL(getpriority),   CALL(getrandom),     CALL(getrusage),
    CALL(getsid),        CALL(getsockopt),     CALL(gettid),        CALL(getuid),        CALL(ioctl),
    CALL(kcmp),          CALL(kill),          CALL(linkat),         CALL(lseek),         CALL(madvise),       CALL(memfd_create),
    CALL(membarrier),    CALL(mkdirat),        CALL(mmap),          CALL(mprotect),      CALL(mremap),
    CALL(munmap),        CALL(nanosleep),      CALL(newfstatat),    CALL(openat),        CALL(openat2),
    CALL(pidfd_getfd),   CALL(pidfd_open),     CALL(pidfd_send_signal), CALL(pipe2),     CALL(ppoll),
    CALL(prctl),         CALL(pread64),        CALL(prlimit64),     CALL(pselect6),      CALL(pwrite64),
    CALL(read),          CALL(readlinkat),     CALL(readv),         CALL(recvmsg),       CALL(renameat2),
    CALL(renameat),
    CALL(rseq),          CALL(rt_sigaction),   CALL(rt_sigpending), CALL(rt_sigprocmask), CALL(rt_sigreturn),
    CALL(rt_sigsuspend), CALL(rt_sigtimedwait), CALL(sched_getaffinity), CALL(sched_yield), CALL(sendmsg),
    CALL(set_robust_list), CALL(set_tid_address), CALL(setgid),     CALL(setgroups),     CALL(setpgid),
    CALL(setpriority),   CALL(setresgid),      CALL(setresuid),     CALL(setsid),        CALL(setsockopt),
    CALL(setuid),        CALL(sigaltstack),    CALL(signalfd4),     CALL(socketpair),    CALL(statx),
    CALL(symlinkat),     CALL(tgkill),         CALL(timerfd_create), CALL(timerfd_settime), CALL(umask),
    CALL(uname),         CALL(unlinkat),       CALL(wait4),         CALL(waitid),        CALL(write),
    CALL(writev),        CALL(sendto),         CALL(recvfrom),      CALL(socket),        CALL(connect),
    CALL(pwritev2),      CALL(shutdown),      CALL(setns),          CALL(unshare),       CALL(seccomp),       CALL(getresuid),
    CALL(getresgid),     CALL(sched_setaffinity), CALL(mknodat),    CALL(splice),        CALL(sysinfo),
    CALL(inotify_init1), CALL(inotify_add_watch), CALL(utimensat),  CALL(fchownat),
    CALL(name_to_handle_at), CALL(open_by_handle_at),
    CALL(landlock_create_ruleset), CALL(landlock_add_rule), CALL(landlock_restrict_self), CALL(sched_setscheduler),
    CALL(accept4),       CALL(bind),           CALL(getpeername),   CALL(getsockname),   CALL(listen),
#ifdef SYS_open /* calls that newer processors never had */
    CALL(access),        CALL(arch_prctl),     CALL(dup2),          CALL(epoll_wait),    CALL(eventfd),
    CALL(fork),          CALL(getpgrp),        CALL(lstat),         CALL(mkdir),         CALL(open),
    CALL(pipe),          CALL(poll),           CALL(readlink),      CALL(rmdir),         CALL(select),
    CALL(rename),        CALL(stat),           CALL(unlink),        CALL(vfork),
#endif
};
#undef CALL

#define ERRNO(name) {#name, name}
static const struct name errno_names[] = {
    ERRNO(E2BIG),  ERRNO(EACCES),  ERRNO(EAGAIN), ERRNO(EBADF),  ERRNO(EBUSY),   ERRNO(ECHILD), ERRNO(EEXIST), ERRNO(EINTR),
    ERRNO(EINVAL), ERRNO(EIO),     ERRNO(EMFILE), ERRNO(ENFILE), ERRNO(ENOENT),  ERRNO(ENODEV), ERRNO(ENOMEM), ERRNO(ENOSPC),
    ERRNO(ENOSYS), ERRNO(ENOTDIR), ERRNO(ENOTTY), ERRNO(EPERM),  ERRNO(EPIPE),   ERRNO(ESRCH),  ERRNO(ENOEXEC), ERRNO(EOPNOTSUPP),
    ERRNO(EDQUOT), ERRNO(EROFS),   ERRNO(EXDEV),  ERRNO(ENOBUFS), ERRNO(ENOLCK), ERRNO(ENODATA), ERRNO(ENOPROTOOPT),
    ERRNO(ECONNABORTED), ERRNO(ECONNREFUSED), ERRNO(EADDRINUSE), ERRNO(ETOOMANYREFS), ERRNO(ESTALE),
    ERRNO(ETIMEDOUT), ERRNO(ENAMETOOLONG), ERRNO(ELOOP), ERRNO(ETXTBSY), ERRNO(ELIBBAD), ERRNO(ENOTEMPTY),
};
#undef ERRNO

/* The number of a name, or -1. */
static inline int number_named(const struct name *names, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i].text, text) == 0)
            return names[i].number;
    return -1;
}

static inline int call_number(const char *text)
{
    if (strncmp(text, "nr_", 3) == 0)
        return atoi(text + 3);
    return number_named(call_names, sizeof call_names / sizeof *call_names, text);
}

static inline int errno_number(const char *text)
{
    return number_named(errno_names, sizeof errno_names / sizeof *errno_names, text);
}

static inline const char *call_name(int number)
{
    static char unlisted[32];
    for (size_t i = 0; i < sizeof call_names / sizeof *call_names; i++)
        if (call_names[i].number == number)
            return call_names[i].text;
    snprintf(unlisted, sizeof unlisted, "nr_%d", number);
    return unlisted;
}

#endif
