/* With an empty registry the all-calls are no-ops, and a bad signal number is refused. */
/* covers: EV-4, EV-5 */
#include "harness.h"
#include "children.h"

int main(void)
{
    uint32_t left = 77;
    CHECK(ps_live_count() == 0);
    CHECK(ps_signal_all(SIGTERM) == PS_OK);
    CHECK(ps_signal_all(SIGKILL) == PS_OK);
    CHECK(ps_kill_and_reap_all(0, &left) == PS_OK);
    CHECK(left == 0);
    CHECK(ps_kill_and_reap_all(1000, NULL) == PS_OK);

    CHECK(ps_signal_all(0) == PS_ERR_INVALID_ARGUMENT);
    CHECK(ps_signal_all(-1) == PS_ERR_INVALID_ARGUMENT);
    CHECK(ps_signal_all(65) == PS_ERR_INVALID_ARGUMENT);
    return 0;
}
