/* Where pidfd_send_signal(2) is filtered, a successor that came by the path cannot be ended. One that is silent when its probation ends is not condemned
   for that: it answers when it can, and stands alone. */
/* covers: F31, L1, L5 */
/* variants: only tier-fork: the filter is the test's own */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 50;
    party *o = come_without("pidfd_send_signal=ENOSYS", "old");
    if (!o)
        SKIP("no filter can be installed here");
    serves_first(o);
    ask(o, "timeout %d %d", PS_HANDOFF_TIMEOUT_LIVE, 200 * slowness());
    party *n = takeover("new");
    bring(o, n, MET, SERVING);
    stop(n);
    int64_t late = now_ms() + 3 * 200 * slowness();
    CHECK(wait_until(now_ms() > late, 60000));
    quiet(o);
    go_on(n);
    expect(n, COMMITTED);
    expect(o, RETIRE);
    leave(o);
    served_by(n);
    leave_in_order(n);
    stage_end();
    return 0;
}
