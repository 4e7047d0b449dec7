/* A frame of the library that never returns, at a place that the test chooses: a thread calls ps_kill_and_reap_all, whose next waitid of the
   given kind is answered by a SIGSYS (SECCOMP_RET_TRAP, for this thread only); the handler leaves by longjmp and the thread ends, or it never
   returns. */
#ifndef PROCSUP_TEST_LEFT_FRAME_H
#define PROCSUP_TEST_LEFT_FRAME_H

#include "children.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>

enum { LOOKING = WEXITED | WNOHANG | WNOWAIT | __WALL, REAPING = WEXITED | WNOHANG | __WALL };

static sigjmp_buf left_out;
static bool left_never_returns;
static int left_options;
static atomic_int left_trapped;

HARNESS void left_handler(int number)
{
    (void)number;
    atomic_store(&left_trapped, 1);
    if (!left_never_returns)
        siglongjmp(left_out, 1);
    for (;;)
        pause();
}

HARNESS void *left_thread(void *unused)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_waitid, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[3])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)left_options, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof *program, .filter = program};
    (void)unused;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0 &&
        (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0))
        SKIP("no filter can be installed here (seccomp)");
    if (sigsetjmp(left_out, 1) == 0)
        ps_kill_and_reap_all(-1, NULL);
    return NULL;
}

/* LOOKING: left with the child pinned, before it was killed. REAPING: left as its reaper, when it was killed and is a zombie. */
HARNESS void leave_a_frame(int options, bool never_returns)
{
    struct sigaction action = {.sa_handler = left_handler};
    pthread_t thread;
    left_options = options;
    left_never_returns = never_returns;
    atomic_store(&left_trapped, 0);
    CHECK(sigaction(SIGSYS, &action, NULL) == 0);
    thread_start(&thread, left_thread, NULL);
    CHECK(wait_until(atomic_load(&left_trapped), 20000));
    if (never_returns)
        pthread_detach(thread);
    else
        pthread_join(thread, NULL);
}

#endif
