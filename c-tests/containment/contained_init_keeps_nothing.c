/* variants: only tier-fork */
/* Where close_range is not to be had (before Linux 5.9, or a filter), init closes what was the host's one by one: a pipe whose write end the host alone
   should have ends when the host closes it. */
#include "harness.h"
#include "contained.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

static void without_close_range(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 436, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof *program, .filter = program};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0)
        SKIP("no filters here (seccomp)");
}

static void ends(void)
{
    int both[2];
    CHECK(pipe(both) == 0);
    ps_child *child = spawn_once(NULL, contained(pausing()));
    close(both[1]);
    struct pollfd p = {.fd = both[0], .events = POLLIN};
    CHECK_INT(poll(&p, 1, PATIENCE_MS), 1);
    CHECK(p.revents & POLLHUP);
    close(both[0]);
    terminate(child, 0);
    ps_child_free(child);
}

int main(void)
{
    need_contained();
    ends();
    without_close_range();
    ends();
    return 0;
}
