/* The exit is a state: the same record however often and by whichever call it is asked, also after all events are out. */
/* covers: LAW-11, P20 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_once(supervisor, exiting("77"));
    take_event(supervisor, PS_EVENT_STARTED);
    ps_event event = take_event(supervisor, PS_EVENT_EXITED);

    for (int i = 0; i < 5; i++) {
        ps_exit end = {.size = sizeof end};
        CHECK_OK(ps_reap_nonblock(child, &end, &error), error);
        CHECK(memcmp(&end, &event.exit, sizeof end) == 0);
        end = reap(child);
        CHECK(memcmp(&end, &event.exit, sizeof end) == 0);
        end = terminate(child, 0);
        CHECK(memcmp(&end, &event.exit, sizeof end) == 0);
    }
    CHECK(ps_supervisor_next_event(supervisor, 0, &event, &error) == PS_PENDING);

    /* and after the supervisor is gone */
    ps_supervisor_free(supervisor);
    CHECK(reap(child).code == 77);
    CHECK(state_of(child) == PS_STATE_EXITED);
    ps_child_free(child);
    return 0;
}
