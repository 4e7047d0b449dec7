/* A child that has been told that it rests until the window reopens is told again if it is the first to be refused in the next one, where others
   were faster: each window's storm is told, once. */
/* covers: C13-5 */
/* variants: few */
#include "harness.h"

#include "supervising.h"

#include "bound.h"

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    ps_budget *budget = new_budget(1, 1000, -1);
    ps_child *child = spawn_in(supervisor, going_on(bound(restless(exiting("1")), budget, "k")));
    ps_event event = await_event(supervisor, PS_EVENT_RESTARTING);
    while (event.reason != PS_REASON_BUDGET)
        event = await_event(supervisor, PS_EVENT_RESTARTING);
    CHECK_INT(event.storm, 1);

    /* The window is over, and before the supervisor looks the attempt of the next one is the host's. */
    for (int64_t until = now_ms() + PATIENCE_MS; used(budget, "k") != 0;)
        CHECK(now_ms() < until);
    CHECK_STATUS(ps_budget_finish(budget, permit_of(budget, "k"), 0, NULL), PS_OK);
    CHECK(!look_at(budget, "k").storm);
    event = expect(supervisor, PS_EVENT_RESTARTING, 0);
    CHECK(event.reason == PS_REASON_BUDGET && event.storm == 1 && event.delay_ms > 0);
    CHECK(look_at(budget, "k").storm);
    expect(supervisor, PS_EVENT_STARTED, 0);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    ps_budget_free(budget);
    return 0;
}
