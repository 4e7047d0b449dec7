/* variants: none: nothing here differs */
/* How long a successor may load is what the deadline of the handoff says,
   by either way in; not how long the offer itself may take (5 seconds). */
/* covers: B11, L2 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    party *n = upgrade(o, "new", 60000);
    bring(o, n, MET, LOADING);
    CHECK_INT(listen_to(n, 6500), 0); /* nothing is said to it */
    bring(o, n, LOADING, SETTLED);
    leave(o);
    party *m = successor(n, false, 60000);
    bring(n, m, MET, LOADING);
    CHECK_INT(listen_to(m, 6500), 0);
    bring(n, m, LOADING, SETTLED);
    leave(n);
    leave_in_order(m);
    stage_end();
    return 0;
}
