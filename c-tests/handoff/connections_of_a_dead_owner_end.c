/* An owner that dies before it has sealed has read on since DRAIN: its successor takes over without its connections, and their clients see them
   end at once. */
/* covers: F38, L1 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    stage_begin();
    party *o = first("old");
    party *n = takeover("new");
    bring(o, n, MET, WARM);
    pass(o, ends[1], "half of");
    close(ends[1]);
    bring(o, n, WARM, SEALING);
    crash(o);
    CHECK_INT(expect(n, LIVE).unsealed, 1);
    ask_for(n, PS_ERR_NOT_FOUND, "claim 1000");
    CHECK(is_ended(ends[0], PATIENCE_MS));
    ask(n, "live");
    served_by(n);
    leave_in_order(n);
    stage_end();
    return 0;
}
