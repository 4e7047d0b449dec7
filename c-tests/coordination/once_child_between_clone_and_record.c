/* The starter is killed while its child has not yet written down its birth, and hangs there: nobody else starts one meanwhile, for the child has a share
   of the lock; and when it goes on, it is the daemon. If it dies there instead, the next one starts one. */
/* covers: C13-6 */
/* variants: none */
#include "once.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>

#ifndef SECCOMP_USER_NOTIF_FLAG_CONTINUE
#define SECCOMP_USER_NOTIF_FLAG_CONTINUE 1
#endif

/* Who calls pwrite(2) waits until it is told to go on: gives the descriptor that tells of it, or -1. */
static int watch_writes(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void start_watched(int to)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    char room[CMSG_SPACE(sizeof(int))] = {0};
    int listener = watch_writes();
    struct iovec byte = {"x", 1};
    struct msghdr message = {.msg_iov = &byte, .msg_iovlen = 1};
    if (listener >= 0) {
        message.msg_control = room;
        message.msg_controllen = sizeof room;
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        *rights = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof listener), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(rights), &listener, sizeof listener);
    }
    CHECK(sendmsg(to, &message, 0) == 1);
    close(to);
    close(listener);
    once_start(once_command(NULL), ONCE_WAIT, &child, &error);
    _exit(0);
}

/* The descriptor that the starter has sent, or -1. */
static int receive(int from)
{
    char room[CMSG_SPACE(sizeof(int))] = {0}, byte;
    struct iovec place = {&byte, 1};
    struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    int listener = -1;
    CHECK(recvmsg(from, &message, MSG_CMSG_CLOEXEC) == 1);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    if (rights)
        memcpy(&listener, CMSG_DATA(rights), sizeof listener);
    return listener;
}

static void go_on(int listener, uint64_t id)
{
    struct seccomp_notif_resp answer = {.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0);
}

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    once_begin();
    for (int dies = 0; dies < 2; dies++) {
        int pair[2];
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        fflush(NULL);
        pid_t starter = fork();
        if (starter == 0)
            start_watched(pair[1]);
        int listener = receive(pair[0]);
        if (listener < 0)
            SKIP("no seccomp listener is to be had here");
        struct seccomp_notif call;
        for (;;) {
            memset(&call, 0, sizeof call);
            struct pollfd ready = {listener, POLLIN, 0};
            CHECK(poll(&ready, 1, 60000) == 1);
            if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0)
                continue;
            if ((pid_t)call.pid != starter)
                break;
            go_on(listener, call.id);
        }
        kill(starter, SIGKILL);
        CHECK_INT(once_join(starter), -SIGKILL);

        ps_command *command = once_command(NULL);
        CHECK_ERROR(once_start(command, 300, &child, &error), PS_ERR_TIMEOUT, &error);
        CHECK_STR(ps_error_step(error), "lock");
        ps_error_free(error);
        error = NULL;
        CHECK_INT(once_starts(), 0);
        CHECK(once_is_locked(ONCE_NAME ".lock"));
        CHECK(once_is_locked(ONCE_NAME ".run"));
        if (dies)
            kill((pid_t)call.pid, SIGKILL);
        else
            go_on(listener, call.id);
        CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
        CHECK_INT(child != NULL, dies);
        CHECK_INT(once_starts(), 1);
        CHECK_INT(once_running(NULL), 1);
        ps_command_free(command);
        if (child) {
            CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
            ps_child_free(child);
        }
        close(listener);
        close(pair[0]);
        close(pair[1]);
        once_clear();
    }
    once_end();
    return 0;
}
