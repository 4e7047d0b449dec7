/* A grace of ten minutes is an upper bound only; a child that obeys TERM ends the call at once. */
/* covers: LAW-10, EV-11, D-4 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_child *child = spawn_once(NULL, pausing());
    int64_t start = now_ns();
    ps_exit end = terminate(child, 600000);
    CHECK(elapsed_ms(start) < PATIENCE_MS);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGTERM);
    CHECK(end.cause == PS_CAUSE_STOP);
    CHECK(end.code == -1);
    CHECK(state_of(child) == PS_STATE_EXITED);
    ps_child_free(child);
    return 0;
}
