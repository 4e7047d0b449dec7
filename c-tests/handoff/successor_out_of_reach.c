/* The owner has given up its rights after it was followed by a process that has not, and that hangs when its probation ends. The owner cannot kill it, so
   it does not act as if it could: it waits. The successor goes on, and all ends well; or somebody ends it, and the owner goes on. */
/* covers: F31, L1 */
/* as-root */
/* variants: only tier-fork: where pidfd_send_signal is filtered nobody knows whom it may end */
#include "harness.h"
#include "handoff.h"

/* The question has come and gone unanswered. */
static void outlast(party *o)
{
    int64_t late = now_ms() + 3 * 200 * slowness();
    CHECK(wait_until(now_ms() > late, 60000));
    quiet(o);
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    stage_begin();
    CHECK(chmod(stage.dir, 0755) == 0);
    stage.probation = 50;
    for (int ends = 1; ends >= 0; ends--) {
        party *o = first("old");
        ask(o, "timeout %d %d", PS_HANDOFF_TIMEOUT_LIVE, 200 * slowness());
        party *n = takeover("new");
        bring(o, n, MET, GIVEN);
        ask(o, "user 54321");
        ask(n, "live");
        expect(o, COMMITTED);
        stop(n);
        outlast(o);
        CHECK(runs(n));
        if (ends) {
            crash(n);
            CHECK_INT(expect(o, RESUME).unsealed, 1);
            aborted(o, PS_ERR_EXITED);
            gone(n);
            served_by(o);
            crash(o);
            gone(o);
        } else {
            go_on(n);
            expect(n, COMMITTED);
            expect(o, RETIRE);
            leave(o);
            served_by(n);
            leave_in_order(n);
        }
    }
    stage_end();
    return 0;
}
