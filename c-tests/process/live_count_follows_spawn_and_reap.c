/* The registry holds a child from its spawn to its reap, and not longer; reaping twice takes nothing else out. */
/* covers: EV-3 */
#include "harness.h"
#include "children.h"

int main(void)
{
    CHECK(ps_live_count() == 0);
    ps_child *first = spawn_once(NULL, pausing());
    ps_child *second = spawn_once(NULL, pausing());
    ps_child *third = spawn_once(NULL, exiting("0"));
    CHECK(ps_live_count() == 3);

    reap(third);
    CHECK(ps_live_count() == 2);
    reap(third);
    CHECK(ps_live_count() == 2);

    kill_and_free(first);
    CHECK(ps_live_count() == 1);
    kill_and_free(second);
    ps_child_free(third);
    CHECK(ps_live_count() == 0);
    return 0;
}
