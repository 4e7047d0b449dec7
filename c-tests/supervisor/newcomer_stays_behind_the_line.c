/* A slot that became free without anybody at work belongs to the first in line, not to who asks next. */
/* covers: SC-3 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(1);
    ps_child *child[3];
    for (int i = 0; i < 2; i++)
        child[i] = spawn_named(supervisor, pausing(), (uint64_t)i);
    limit_running(supervisor, 2);
    child[2] = spawn_named(supervisor, pausing(), 2);
    CHECK(take_event(supervisor, PS_EVENT_STARTED).user_data == 0);
    CHECK(take_event(supervisor, PS_EVENT_STARTED).user_data == 1);
    CHECK_COUNTS(supervisor, 1, 2, 0);
    CHECK(state_of(child[2]) == PS_STATE_PENDING);
    ps_supervisor_free(supervisor);
    for (int i = 0; i < 3; i++)
        ps_child_free(child[i]);
    return 0;
}
