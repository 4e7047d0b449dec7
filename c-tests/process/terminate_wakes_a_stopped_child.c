/* A stopped child would never see TERM; it is woken to take it, so even a stopped one can end in good order. */
/* covers: EV-11 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = spawn_once(NULL, pausing());
    CHECK_OK(ps_signal(child, SIGSTOP, &error), error);
    CHECK(wait_until(process_state(pid_of(child)) == 'T', 20000));
    int64_t start = now_ms();
    ps_exit end = terminate(child, 600000);
    CHECK(now_ms() - start < PATIENCE_MS);
    CHECK(end.signal == SIGTERM && end.cause == PS_CAUSE_STOP);
    ps_child_free(child);
    return 0;
}
