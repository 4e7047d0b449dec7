/* A successor that ignores SIGTERM takes two seconds to end; the next handoff begins at once and is not disturbed, and
   the old one is gone when the handle is freed, whether the owner owns by then or has retired. */
/* covers: S8, L3 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 20;
    for (int retired = 0; retired < 2; retired++) {
        party *o = first("old");
        ask(o, "upgrade %d %s", 100 * slowness(), helper_path("ignore_term"));
        pid_t pid = aborted(o, PS_ERR_TIMEOUT).peer_pid;
        int64_t told = now_ms();
        CHECK(!is_dead(pid));
        party *n = upgrade(o, "new", 20000);
        bring(o, n, MET, retired ? SETTLED : SEALING);
        CHECK(!is_dead(pid) || now_ms() - told > 1500);
        int64_t start = now_ms();
        ask(o, "free");
        CHECK(now_ms() - start < 4000 * slowness());
        CHECK(process_gone(pid));
        CHECK(retired ? runs(n) : process_gone(n->pid));
        n->gone = !retired;
        leave(o);
        if (retired)
            leave_in_order(n);
    }
    stage_end();
    return 0;
}
