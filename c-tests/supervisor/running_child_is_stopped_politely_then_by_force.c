/* A running child gets SIGTERM first; asked again with no patience, SIGKILL. Asked once more when it is over, that is no error. */
/* covers: SC-7 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(1);
    ps_child *polite = spawn_named(supervisor, pausing(), 1);
    CHECK_OK(ps_terminate_begin(polite, -1, &error), error);
    expect(supervisor, PS_EVENT_STARTED, 1);
    ps_event ended = expect(supervisor, PS_EVENT_EXITED, 1);
    CHECK(ended.exit.signal == SIGTERM && ended.exit.cause == PS_CAUSE_STOP);
    CHECK_OK(ps_terminate_begin(polite, -1, &error), error);

    ps_child *deaf = spawn_deaf(supervisor);
    CHECK_OK(ps_terminate_begin(deaf, 60000, &error), error);
    expect(supervisor, PS_EVENT_STARTED, 0);
    expect_nothing(supervisor);
    CHECK_OK(ps_terminate_begin(deaf, 0, &error), error);
    ended = expect(supervisor, PS_EVENT_EXITED, 0);
    CHECK(ended.exit.signal == SIGKILL && ended.exit.cause == PS_CAUSE_STOP);
    expect_nothing(supervisor);
    ps_child_free(polite);
    ps_child_free(deaf);
    ps_supervisor_free(supervisor);
    return 0;
}
