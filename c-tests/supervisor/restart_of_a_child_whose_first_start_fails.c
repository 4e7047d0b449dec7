/* A first start that fails inside ps_spawn is that call's own error, policy or not; one that fails in line is a failure like any other. */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_child *none = NULL;
    ps_supervisor *supervisor = new_supervisor(1);
    ps_command *command = name_it(command_for("/nonexistent/program", NULL), 2);
    giving_up_after(restarting(command, PS_RESTART_ALWAYS, 0, 0), 2);
    CHECK_STATUS(ps_spawn(supervisor, command, &none, NULL), PS_ERR_NOT_FOUND);
    expect_nothing(supervisor);
    CHECK_COUNTS(supervisor, 0, 0, 0);

    ps_child *first = spawn_named(supervisor, pausing(), 1);
    ps_child *child = spawn_once(supervisor, command);
    kill_and_free(first);
    expect(supervisor, PS_EVENT_FAILED, 2);
    expect(supervisor, PS_EVENT_RESTARTING, 2);
    expect(supervisor, PS_EVENT_FAILED, 2);
    ps_event given_up = expect(supervisor, PS_EVENT_GAVE_UP, 2);
    CHECK(given_up.status == PS_ERR_NOT_FOUND && given_up.run == 0 && given_up.pid == 0);
    CHECK_STATUS(ps_reap(child, 0, NULL, NULL), PS_ERR_NOT_FOUND);
    CHECK_INT(state_of(child), PS_STATE_CANCELLED);
    expect_nothing(supervisor);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
