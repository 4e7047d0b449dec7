/* ps_handoff_free of a successor that was told LIVE and has not answered gives the ownership back; one that has answered is the
   owner, and frees like any last generation: the standby retires, and nobody takes back what was left in order. */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    for (int spawned = 1; spawned >= 0; spawned--) {
        char *before = snapshot(o);
        party *n = successor(o, spawned, 20000);
        bring(o, n, MET, GIVEN);
        serving(n, false);
        say(n, "free");
        CHECK_INT(expect_within(o, RESUME, 2000).unsealed, 1);
        aborted(o, PS_ERR_ABORTED);
        if (!spawned) {
            answered(n, "free", "PS_OK");
            leave(n);
        }
        gone(n);
        as_before(o, before);
    }
    party *n = takeover("new");
    bring(o, n, MET, SERVING);
    serving(n, false);
    ask(n, "free");
    expect_within(o, RETIRE, 2000);
    leave(n);
    quiet(o);
    CHECK_INT(ask_number(o, "children"), 0);
    leave(o);
    CHECK(!exists(stage.path));
    o = first("the next");
    leave_in_order(o);
    stage_end();
    return 0;
}
