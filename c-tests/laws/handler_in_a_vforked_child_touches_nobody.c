/* A child that the host made by vfork shares all memory, the registry too. A signal handler of the host that runs in it (the terminal sends
   its interrupt to both) must not kill, nor take for stolen, what belongs to its parent. */
/* covers: LAW-6, P11 */
#include "harness.h"
#include "children.h"

static void on_term(int signal)
{
    (void)signal;
    ps_signal_all(SIGKILL);
    ps_kill_and_reap_all(1000, NULL);
}

static __attribute__((noinline)) pid_t interrupted_vfork(void)
{
    pid_t pid = vfork();
    if (pid == 0) {
        syscall(SYS_kill, (pid_t)syscall(SYS_getpid), SIGTERM);
        _exit(0);
    }
    return pid;
}

int main(void)
{
    ps_error *error = NULL;
    ps_exit end = {.size = sizeof end};
    ps_child *child = spawn_once(NULL, pausing());
    CHECK(signal(SIGTERM, on_term) != SIG_ERR);
    wait_for(interrupted_vfork());
    CHECK_STATUS(ps_reap_nonblock(child, NULL, NULL), PS_PENDING);
    CHECK(ps_live_count() == 1 && !is_dead(pid_of(child)));
    CHECK_OK(ps_terminate(child, 0, &end, &error), error);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.cause == PS_CAUSE_STOP);
    ps_child_free(child);
    return 0;
}
