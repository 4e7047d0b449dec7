/* "shutdown while process running": two managers, a long process in each, both shut down; each hears of its own child only. (SC-8,
   SC-10) */
/* covers: SC-8, SC-10 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_supervisor *one = new_supervisor(16), *two = new_supervisor(16);
    ps_child *first = spawn_named(one, command_for("sleep", "600", NULL), 1);
    ps_child *second = spawn_named(two, command_for("sleep", "600", NULL), 2);
    expect(one, PS_EVENT_STARTED, 1);
    expect(two, PS_EVENT_STARTED, 2);
    shut_down(one, -1);
    CHECK_INT(expect(one, PS_EVENT_EXITED, 1).exit.cause, PS_CAUSE_SHUTDOWN);
    expect(one, PS_EVENT_SHUTDOWN_DONE, 0);
    CHECK_INT(state_of(second), PS_STATE_RUNNING);
    expect_nothing(two);
    shut_down(two, -1);
    CHECK_INT(expect(two, PS_EVENT_EXITED, 2).exit.cause, PS_CAUSE_SHUTDOWN);
    expect(two, PS_EVENT_SHUTDOWN_DONE, 0);
    ps_child_free(first);
    ps_child_free(second);
    ps_supervisor_free(one);
    ps_supervisor_free(two);
    return 0;
}
