/* A child that stops and goes on for ever fills no queue: two events of that wait, and when they are taken the next look tells how it stands. */
/* variants: none */
#include "halting.h"

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_named(supervisor, watched(pausing(), NEVER_MS), 1);
    expect(supervisor, PS_EVENT_STARTED, 1);
    for (int i = 0; i < 50; i++) {
        stop_it(child, SIGSTOP);
        CHECK_INT(stopped_by(child), SIGSTOP);
        let_it_go(child);
        CHECK_INT(stopped_by(child), 0);
    }
    stop_it(child, SIGTSTP);
    CHECK_INT(stopped_by(child), SIGTSTP);
    EXPECT_STOPPED(supervisor, 1, SIGSTOP);
    expect(supervisor, PS_EVENT_CONTINUED, 1);
    expect_nothing(supervisor);
    CHECK_INT(stopped_by(child), SIGTSTP);
    EXPECT_STOPPED(supervisor, 1, SIGTSTP);
    expect_nothing(supervisor);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
