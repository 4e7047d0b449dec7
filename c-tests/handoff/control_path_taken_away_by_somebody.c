/* Somebody removes the control path, or puts a file of his own there, while a generation serves: spawned handoffs go on as
   before; a takeover says that it reaches nobody; the last generation does not remove what is not its own. */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 50;
    party *o = first("old");
    CHECK(unlink(stage.path) == 0);
    party *late = takeover("late");
    ask_for(late, PS_ERR_LOCKED, "new %s", stage.path);
    leave(late);
    quiet(o);
    party *n = upgrade(o, "new", 20000);
    hand_over(o, n);
    served_by(n);
    write_file(stage.path, "somebody's", 0600);
    late = takeover("late");
    ask_for(late, PS_ERR_LOCKED, "new %s", stage.path);
    leave(late);
    leave_in_order(n);
    CHECK(exists(stage.path));
    stage_end();
    return 0;
}
