/* The copy starts with nothing and may build everything anew, while the original goes on with what it has. */
/* covers: LAW-6, EV-6 */
#include "harness.h"
#include "children.h"

static void in_the_copy(void)
{
    CHECK(ps_live_count() == 0);
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_once(supervisor, exiting("31"));
    take_event(supervisor, PS_EVENT_STARTED);
    ps_event event = take_event(supervisor, PS_EVENT_EXITED);
    CHECK(event.child == child && event.exit.code == 31);
    ps_child_free(child);
    ps_supervisor_free(supervisor);

    ps_child *one = spawn_once(NULL, pausing()), *two = spawn_once(NULL, pausing());
    CHECK(ps_live_count() == 2);
    CHECK(terminate(one, -1).signal == SIGTERM);
    CHECK(ps_kill_and_reap_all(PATIENCE_MS, NULL) == PS_OK);
    CHECK(reap(two).signal == SIGKILL);
    CHECK(has_no_child());
}

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_child *one = spawn_once(supervisor, pausing()), *two = spawn_once(NULL, pausing());
    for (int i = 0; i < 3; i++)
        in_forked_process(in_the_copy);
    CHECK(!is_dead(pid_of(one)) && !is_dead(pid_of(two)));
    CHECK(ps_live_count() == 2);
    CHECK(terminate(one, -1).signal == SIGTERM && terminate(two, -1).signal == SIGTERM);
    ps_child_free(one);
    ps_child_free(two);
    ps_supervisor_free(supervisor);
    return 0;
}
