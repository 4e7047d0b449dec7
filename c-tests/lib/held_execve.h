/* A thread whose children are held just before their exec, in user mode's reach: its execve is asked about (SECCOMP_RET_USER_NOTIF, a wait that
   signals interrupt, where that of fanotify in supervising.h is only killable). Skips the test where there is no such filter. `held_call` names
   another call than execve, `held_refused` what the spawn is to answer (then there is no child). */
#ifndef PROCSUP_TEST_HELD_EXECVE_H
#define PROCSUP_TEST_HELD_EXECVE_H

#include "children.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#ifndef SECCOMP_USER_NOTIF_FLAG_CONTINUE
#define SECCOMP_USER_NOTIF_FLAG_CONTINUE 1
#endif

static ps_command *held_command;
static ps_child *held_child;
static int held_notify = -1, held_call = SYS_execve;
static ps_status held_refused = PS_OK;
static atomic_int held_ready, held_spawned;

HARNESS void *held_spawn(void *unused)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)held_call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof *program, .filter = program};
    (void)unused;
    held_notify = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
    if (held_notify < 0)
        SKIP("an execve cannot be asked about here (seccomp)");
    fcntl(held_notify, F_SETFD, FD_CLOEXEC);
    atomic_store(&held_ready, 1);
    if (held_refused)
        ps_error_free(spawn_fails(held_command, held_refused));
    else
        held_child = spawn(NULL, held_command);
    atomic_store(&held_spawned, 1);
    return NULL;
}

/* Who is about to make the call, and its question. */
HARNESS pid_t held_asks(uint64_t *question)
{
    struct seccomp_notif asked;
    struct pollfd p = {.fd = held_notify, .events = POLLIN};
    CHECK(poll(&p, 1, PATIENCE_MS) == 1);
    memset(&asked, 0, sizeof asked);
    if (ioctl(held_notify, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0)
        harness_fail(__FILE__, __LINE__, "no question: %s", strerror(errno));
    *question = asked.id;
    return (pid_t)asked.pid;
}

/* A thread spawns the command; answers the question and the child's pid when it is about to exec. */
HARNESS pid_t held_begin(pthread_t *thread, ps_command *command, uint64_t *question)
{
    held_command = command;
    atomic_store(&held_ready, 0);
    atomic_store(&held_spawned, 0);
    thread_start(thread, held_spawn, NULL);
    CHECK(wait_until(atomic_load(&held_ready), 20000));
    return held_asks(question);
}

/* It may go on. */
HARNESS void held_let_go(uint64_t question)
{
    struct seccomp_notif_resp answer = {.id = question, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    if (ioctl(held_notify, SECCOMP_IOCTL_NOTIF_SEND, &answer) != 0 && errno == EINVAL)
        SKIP("an execve that was asked about cannot go on here (before Linux 5.5)");
}

/* The spawn has returned by now, or does in time. */
HARNESS ps_child *held_end(pthread_t thread)
{
    CHECK(wait_until(atomic_load(&held_spawned), 20000));
    pthread_join(thread, NULL);
    close(held_notify);
    ps_command_free(held_command);
    return held_child;
}

/* Before Linux 6.11 who takes a question waits for ever where the one who has asked was killed meanwhile (SECCOMP_IOCTL_NOTIF_RECV): skips there. */
HARNESS void need_questions_that_end(void)
{
    if (!kernel_at_least(6, 11))
        SKIP("a question of who was killed is waited for, for ever, before Linux 6.11");
}

/* Whether a process can still run in the memory that it has. One that is on its way out (PF_EXITING in its flags, proc_pid_stat(5)) has it for a moment
   more, but will never do anything there again. May be called in a handler. */
HARNESS bool may_run_in_memory(pid_t pid)
{
    enum { EXITING = 4, FLAGS = 9, SIZE = 23 };
    char path[64], text[1024] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    const char *at = length > 0 ? strrchr(text, ')') : NULL;
    unsigned long value[SIZE + 1] = {0};
    for (int field = 3; at && field <= SIZE; field++)
        if ((at = strchr(at, ' ')) != NULL)
            value[field] = strtoul(++at, NULL, 10);
    return value[SIZE] != 0 && !(value[FLAGS] & EXITING);
}

#endif
