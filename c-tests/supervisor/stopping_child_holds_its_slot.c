/* A child that is being stopped counts until it has been reaped: nobody takes its slot before. */
/* covers: SC-4 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(1);
    ps_child *deaf = spawn_deaf(supervisor);
    ps_child *next = spawn_named(supervisor, pausing(), 2);
    expect(supervisor, PS_EVENT_STARTED, 0);
    CHECK_OK(ps_terminate_begin(deaf, 60000, &error), error);
    CHECK_INT(state_of(deaf), PS_STATE_STOPPING);
    CHECK_COUNTS(supervisor, 1, 0, 1);
    expect_nothing(supervisor);
    CHECK_INT(state_of(next), PS_STATE_PENDING);
    kill(pid_of(deaf), SIGKILL);
    ps_event ended = expect(supervisor, PS_EVENT_EXITED, 0);
    CHECK(ended.child == deaf && ended.exit.signal == SIGKILL && ended.exit.cause == PS_CAUSE_STOP);
    expect(supervisor, PS_EVENT_STARTED, 2);
    CHECK_COUNTS(supervisor, 0, 1, 0);
    kill_and_free(next);
    ps_child_free(deaf);
    ps_supervisor_free(supervisor);
    return 0;
}
