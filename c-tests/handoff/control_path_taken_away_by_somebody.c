/* Somebody puts a file of his own at the control path while a generation serves: it is told that it cannot be found there, and why; the file is
   left alone, now and at the end. Spawned handoffs go on as before, for the lock is held; a takeover says that it reaches nobody. When the file
   is gone, the path is bound anew. */
/* covers: F30, LAW-17 */
/* variants: few */
#include "harness.h"
#include "handoff.h"

static void take_the_path(party *o)
{
    char own[128];
    snprintf(own, sizeof own, "%s/own", stage.dir);
    write_file(own, "somebody's", 0600);
    CHECK(rename(own, stage.path) == 0);
    path_changed(o, PS_ERR_INVALID_ARGUMENT);
    quiet(o);
}

int main(void)
{
    stage_begin();
    stage.probation = 50;
    party *o = first("old");
    take_the_path(o);
    party *late = takeover("late");
    ask_for(late, PS_ERR_LOCKED, "new %s", stage.path);
    leave(late);
    quiet(o);
    CHECK(unlink(stage.path) == 0);
    path_changed(o, PS_OK);
    party *n = takeover("in time");
    hand_over(o, n);
    served_by(n);
    take_the_path(n);
    o = n;
    n = upgrade(o, "spawned", 20000);
    hand_over(o, n);
    path_changed(n, PS_ERR_INVALID_ARGUMENT);
    served_by(n);
    leave_in_order(n);
    CHECK(exists(stage.path));
    stage_end();
    return 0;
}
