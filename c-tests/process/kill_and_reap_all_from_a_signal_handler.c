/* A handler may end everything, whatever library call it interrupted. */
/* covers: EV-2, EV-5, EV-14 */
#include "harness.h"
#include "children.h"

static volatile sig_atomic_t status = -100, left_over = -1;

static void end_all(int signal)
{
    (void)signal;
    uint32_t left = 77;
    int saved = errno;
    status = ps_kill_and_reap_all(PATIENCE_MS, &left);
    left_over = (sig_atomic_t)left;
    errno = saved;
}

int main(void)
{
    signal(SIGALRM, end_all);
    ps_child *child[5];
    for (int i = 0; i < 5; i++)
        child[i] = spawn_once(NULL, pausing());

    /* The alarm interrupts this wait, which then must see the end of its child. */
    ualarm(50000, 0);
    ps_exit end = reap(child[0]);
    CHECK(wait_until(status != -100, 20000));

    CHECK(status == PS_OK && left_over == 0);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGKILL && end.cause == PS_CAUSE_KILL_ALL);
    CHECK(ps_live_count() == 0 && has_no_child());
    for (int i = 0; i < 5; i++)
        ps_child_free(child[i]);
    return 0;
}
