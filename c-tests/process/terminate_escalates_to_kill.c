/* A child that ignores TERM is killed when the grace is over, and not before. */
/* covers: EV-11, EV-24, RP-33, D-4 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_child *child = spawn_deaf(NULL);
    int64_t start = now_ns();
    ps_exit end = terminate(child, 150);
    CHECK(elapsed_ms(start) >= 140);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGKILL);
    CHECK(end.cause == PS_CAUSE_STOP);
    ps_child_free(child);
    return 0;
}
