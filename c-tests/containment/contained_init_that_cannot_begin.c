/* variants: none */
/* Where execveat is forbidden, init is executed by its path. Where it fails when the program has begun already, that is said, nobody is left, and
   nothing is tried again, whatever the errno: the program must not run twice. */
#include "harness.h"
#include "contained.h"
#include "held_execve.h"

static ps_status status;
static ps_error *failed;

static void *make(void *listens)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execveat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, listens ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof *program, .filter = program};
    held_notify = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, listens ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0, &filter);
    if (held_notify < 0)
        SKIP("an execveat cannot be asked about here (seccomp)");
    atomic_store(&held_ready, 1);
    held_child = NULL;
    failed = NULL;
    status = ps_spawn(NULL, held_command, &held_child, &failed);
    atomic_store(&held_spawned, 1);
    return NULL;
}

static void begin(pthread_t *thread, void *listens)
{
    held_command = contained(exiting("0"));
    atomic_store(&held_ready, 0);
    atomic_store(&held_spawned, 0);
    thread_start(thread, make, listens);
    CHECK(wait_until(atomic_load(&held_ready), 20000));
}

static void forbidden(void)
{
    pthread_t thread;
    begin(&thread, NULL);
    pthread_join(thread, NULL);
    CHECK_OK(status, failed);
    CHECK_INT(reap(held_child).code, 0);
    ps_child_free(held_child);
    ps_command_free(held_command);
}

static void fails_with(int errno_now)
{
    pthread_t thread;
    int questions = 0, executions = 0;
    char text[1024];
    begin(&thread, "");
    while (!atomic_load(&held_spawned)) {
        struct pollfd p = {.fd = held_notify, .events = POLLIN};
        struct seccomp_notif asked;
        memset(&asked, 0, sizeof asked);
        if (poll(&p, 1, 5) != 1 || ioctl(held_notify, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0)
            continue;
        struct seccomp_notif_resp answer = {.id = asked.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        questions++;
        if ((int)asked.data.args[0] >= 0) {
            executions++;
            answer.flags = 0;
            answer.error = -errno_now;
        }
        if (ioctl(held_notify, SECCOMP_IOCTL_NOTIF_SEND, &answer) != 0 && errno == EINVAL)
            SKIP("a call that was asked about cannot go on here (before Linux 5.5)");
    }
    pthread_join(thread, NULL);
    close(held_notify);
    CHECK_INT(executions, 1);
    CHECK_INT(questions, 2);
    CHECK(status != PS_OK && status != PS_ERR_UNSUPPORTED);
    CHECK_STR(ps_error_step(failed), "init");
    CHECK_INT(ps_error_errno(failed), errno_now);
    ps_error_render(failed, PS_RENDER_TEXT, text, sizeof text, NULL);
    CHECK(strstr(text, "may have begun"));
    ps_error_free(failed);
    ps_command_free(held_command);
    CHECK(ps_live_count() == 0 && has_no_child());
}

int main(void)
{
    need_contained();
    need_questions_that_end();
    forbidden();
    fails_with(EAGAIN);
    fails_with(ENOMEM);
    return 0;
}
