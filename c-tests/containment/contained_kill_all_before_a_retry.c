/* variants: none */
/* The first process of a namespace may not make the program just now (EAGAIN), and is ending; kill-all finds it and publishes that end. Whatever is
   tried again then must not bring a child to life in the place of one that has ended: nobody would ever kill or reap it. */
#include "harness.h"
#include "contained.h"
#include "held_execve.h"

#include <sched.h>

static ps_status status;

static void *make(void *unused)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_CHILD_CLEARTID, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof *program, .filter = program};
    ps_error *error = NULL;
    held_notify = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
    if (held_notify < 0)
        SKIP("a clone cannot be asked about here (seccomp)");
    fcntl(held_notify, F_SETFD, FD_CLOEXEC);
    held_child = NULL;
    atomic_store(&held_ready, 1);
    status = ps_spawn(NULL, held_command, &held_child, &error);
    ps_error_free(error);
    atomic_store(&held_spawned, 1);
    return unused;
}

/* The first clone inside is refused; at the end of who asked for it, everybody is killed. All else goes on. */
static void answer(int *refused, int *killed)
{
    struct seccomp_notif asked;
    memset(&asked, 0, sizeof asked);
    if (ioctl(held_notify, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0)
        return;
    if (asked.data.nr == SYS_exit_group && *refused && !*killed) {
        *killed = 1;
        ps_kill_and_reap_all(20, NULL);
        return;
    }
    struct seccomp_notif_resp answer = {.id = asked.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    if (asked.data.nr == SYS_clone && !*refused) {
        *refused = 1;
        answer.flags = 0;
        answer.error = -EAGAIN;
    }
    if (ioctl(held_notify, SECCOMP_IOCTL_NOTIF_SEND, &answer) != 0 && errno == EINVAL)
        SKIP("a call that was asked about cannot go on here (before Linux 5.5)");
}

int main(void)
{
    need_contained();
    need_questions_that_end();
    for (int i = 0; i < 40; i++) {
        pthread_t thread;
        int refused = 0, killed = 0;
        held_command = contained(pausing());
        atomic_store(&held_ready, 0);
        atomic_store(&held_spawned, 0);
        thread_start(&thread, make, NULL);
        CHECK(wait_until(atomic_load(&held_ready), 20000));
        while (!atomic_load(&held_spawned)) {
            struct pollfd p = {.fd = held_notify, .events = POLLIN};
            if (poll(&p, 1, 5) == 1)
                answer(&refused, &killed);
        }
        pthread_join(thread, NULL);
        close(held_notify);
        CHECK(killed);
        CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
        CHECK(status == PS_OK || status == PS_ERR_LIMIT || status == PS_ERR_SYSTEM);
        if (held_child)
            reap_and_free(held_child);
        ps_command_free(held_command);
        CHECK(ps_live_count() == 0 && has_no_child());
    }
    return 0;
}
