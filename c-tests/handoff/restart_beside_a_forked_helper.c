/* A helper that a generation has forked, and that has called ps_handoff_free, holds nothing of it: it may outlive it, the next one may die, and a
   restart is the first generation again. */
/* covers: F35, LAW-6 */
/* variants: few */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    pid_t helper = (pid_t)ask_number(o, "linger 1");
    party *n = upgrade(o, "new", 20000);
    hand_over(o, n);
    pid_t other = (pid_t)ask_number(n, "linger 1");
    served_by(n);
    crash(n);
    CHECK(!is_dead(helper) && !is_dead(other));
    gone(n);

    stage.port = 0; /* it binds its own */
    party *again = first("again");
    CHECK_INT(ask_number(again, "generation"), 3);
    served_by(again);
    CHECK(!is_dead(helper) && !is_dead(other));
    kill(helper, SIGKILL);
    kill(other, SIGKILL);
    CHECK(waitpid(helper, NULL, 0) == helper && waitpid(other, NULL, 0) == other);
    stage_end();
    return 0;
}
