/* Signal 0 is a probe, numbers outside 0..64 are refused, and an ended child answers EXITED instead of ESRCH or silence. */
/* covers: EV-10 */
/* variants: not valgrind: it keeps the last real-time signal for itself */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = spawn_once(NULL, pausing());
    CHECK_OK(ps_signal(child, 0, &error), error);
    CHECK(ps_signal(child, -1, NULL) == PS_ERR_INVALID_ARGUMENT);
    CHECK(ps_signal(child, 65, NULL) == PS_ERR_INVALID_ARGUMENT);
    CHECK(ps_signal(child, INT32_MAX, NULL) == PS_ERR_INVALID_ARGUMENT);
    CHECK(state_of(child) == PS_STATE_RUNNING);

    CHECK_OK(ps_signal(child, SIGRTMAX, &error), error);
    ps_exit end = reap(child);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGRTMAX);

    CHECK(ps_signal(child, SIGTERM, &error) == PS_ERR_EXITED);
    CHECK(ps_error_status(error) == PS_ERR_EXITED);
    ps_error_free(error);
    CHECK(ps_signal(child, 0, NULL) == PS_ERR_EXITED);
    ps_child_free(child);
    return 0;
}
