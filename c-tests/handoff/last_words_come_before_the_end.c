/* The owner calls off and closes the channel while a message of the successor lies there unread. The kernel tells the successor of
   the lost message first (ECONNRESET); the owner's last words are still behind it, and count. */
/* covers: S7, S8 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    party *n = takeover("new");
    bring(o, n, MET, LOADING);
    ask(o, "deaf 1");
    ask(n, "warm");
    ask(o, "cancel");
    aborted(n, PS_ERR_CANCELLED);
    ask(o, "deaf 0");
    aborted(o, PS_ERR_CANCELLED);
    leave(n);
    served_by(o);
    leave_in_order(o);
    stage_end();
    return 0;
}
