/* A signal handler kills and reaps everything: workers among them, each alone. Whoever else is in the preloader's group, which it leads and its
   workers live in, is not touched. */
/* covers: P-b4, P-b10, LAW-2, LAW-5, C14-3 */
/* variants: few */
#include "harness.h"
#include "keeper.h"

static volatile sig_atomic_t status = -100, left_over = -1, live = -1;

static void end_all(int signal)
{
    (void)signal;
    uint32_t left = 77;
    int saved = errno;
    live = (sig_atomic_t)ps_live_count();
    ps_signal_all(SIGURG);
    status = ps_kill_and_reap_all(PATIENCE_MS, &left);
    left_over = (sig_atomic_t)left;
    errno = saved;
}

int main(void)
{
    keeper k = keeper_begin(NULL, "never");
    ps_child *child[3];
    pid_t pid[3];
    for (int i = 0; i < 3; i++) {
        child[i] = worker_of(&k);
        pid[i] = pid_of(child[i]);
        CHECK_INT(getpgid(pid[i]), k.pid);
    }
    ps_child *plain = spawn_once(NULL, pausing());
    signal(SIGALRM, end_all);
    raise(SIGALRM);
    CHECK_INT(live, 5);
    if (!signals_reach_workers()) {
        CHECK(status == PS_ERR_TIMEOUT && left_over == 3);
        for (int i = 0; i < 3; i++)
            CHECK(!is_dead(pid[i]));
        CHECK_STATUS(ps_signal(child[0], SIGKILL, NULL), PS_ERR_UNSUPPORTED);
        for (int i = 0; i < 3; i++)
            kill(pid[i], SIGKILL);
    } else {
        CHECK(status == PS_OK && left_over == 0);
    }
    for (int i = 0; i < 3; i++) {
        CHECK(wait_until(is_dead(pid[i]), 20000));
        ps_exit end = reap(child[i]);
        /* Its preloader was killed with it: who has reaped it then, and when, is the machine's affair. */
        CHECK(end.kind == PS_EXIT_LOST || (end.kind == PS_EXIT_SIGNALED && end.signal == SIGKILL));
        CHECK_INT(end.cause, signals_reach_workers() ? PS_CAUSE_KILL_ALL : PS_CAUSE_SELF);
        ps_child_free(child[i]);
    }
    reap_and_free(plain);
    CHECK(ps_live_count() == 0);
    keeper_end(&k);
    CHECK(has_no_child());
    return 0;
}
