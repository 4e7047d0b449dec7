/* Each child is looked at by its own interval, and one that nobody asked for is not: of three that are stopped at once, the one with the short
   interval is told. Who asks ps_child_stopped looks, too, and what that finds is told. What came and went between two looks is not. */
#include "halting.h"

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_child *often = spawn_named(supervisor, watched(pausing(), SOON_MS), 1);
    ps_child *seldom = spawn_named(supervisor, watched(pausing(), NEVER_MS), 2);
    ps_child *unasked = spawn_named(supervisor, pausing(), 3);
    ps_child *const all[] = {unasked, seldom, often};
    for (uint64_t name = 1; name <= 3; name++)
        expect(supervisor, PS_EVENT_STARTED, name);
    for (int i = 0; i < 3; i++)
        stop_it(all[i], SIGSTOP);
    EXPECT_STOPPED(supervisor, 1, SIGSTOP);
    expect_nothing(supervisor);

    CHECK_INT(stopped_by(unasked), SIGSTOP);
    expect_nothing(supervisor);
    CHECK_INT(stopped_by(seldom), SIGSTOP);
    EXPECT_STOPPED(supervisor, 2, SIGSTOP);

    /* Of the two whose looks are asked for: a continue and the same stop again are not told; another stop is. */
    let_it_go(seldom);
    stop_it(seldom, SIGSTOP);
    CHECK_INT(stopped_by(seldom), SIGSTOP);
    expect_nothing(supervisor);
    let_it_go(seldom);
    stop_it(seldom, SIGTSTP);
    CHECK_INT(stopped_by(seldom), SIGTSTP);
    expect(supervisor, PS_EVENT_CONTINUED, 2);
    EXPECT_STOPPED(supervisor, 2, SIGTSTP);
    let_it_go(seldom);
    CHECK_INT(stopped_by(seldom), 0);
    expect(supervisor, PS_EVENT_CONTINUED, 2);
    stop_it(seldom, SIGSTOP);
    let_it_go(seldom);
    CHECK_INT(stopped_by(seldom), 0);
    expect_nothing(supervisor);

    for (int i = 0; i < 3; i++)
        ps_child_free(all[i]);
    ps_supervisor_free(supervisor);
    return 0;
}
