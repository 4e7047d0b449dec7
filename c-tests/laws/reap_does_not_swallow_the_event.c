/* Reaping by hand and the EXITED event are two views of one state; taking the one does not lose the other. */
/* covers: LAW-11 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_once(supervisor, exiting("8"));
    ps_exit end = reap(child);
    CHECK(end.code == 8);
    ps_event event = take_event(supervisor, PS_EVENT_STARTED);
    CHECK(event.child == child);
    event = take_event(supervisor, PS_EVENT_EXITED);
    CHECK(event.child == child && memcmp(&event.exit, &end, sizeof end) == 0);
    CHECK(ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_PENDING);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
