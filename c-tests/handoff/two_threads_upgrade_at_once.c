/* A second thread calls ps_handoff_upgrade whenever that of the first has let go of the handle for a moment: exactly one of
   them proceeds, the other is told PS_ERR_IN_PROGRESS, and once it is called off nobody is left of what was spawned. */
/* covers: S8, L6 */
#include "harness.h"
#include "handoff.h"
#include "handoff_beside.h"

static ps_handoff *handoff;
static ps_command *command;
static int begun;

static void upgrade_too(void)
{
    ps_status status = ps_handoff_upgrade(handoff, command, PATIENCE_MS, NULL);
    CHECK(status == PS_OK || status == PS_ERR_IN_PROGRESS);
    begun += status == PS_OK;
}

int main(void)
{
    ps_error *error = NULL;
    ps_handoff_event event = {.size = sizeof event};
    stage_begin();
    CHECK_OK(ps_handoff_new(stage.path, &handoff, &error), error);
    CHECK_OK(ps_handoff_next_event(handoff, PATIENCE_MS, &event, &error), error);
    CHECK_OK(ps_handoff_live(handoff, &error), error);
    command = pausing();
    for (int round = 0; round < 5; round++) {
        begun = 0;
        ps_status status = beside_upgrade(handoff, command, upgrade_too);
        CHECK(status == PS_OK || status == PS_ERR_IN_PROGRESS);
        begun += status == PS_OK;
        CHECK_INT(begun, 1);
        CHECK_INT(ps_live_count(), 1);
        CHECK_OK(ps_handoff_cancel(handoff, &error), error);
        CHECK_OK(ps_handoff_next_event(handoff, PATIENCE_MS, &event, &error), error);
        CHECK_INT(event.kind, ABORTED);
        CHECK_INT(event.reason, PS_ERR_CANCELLED);
        CHECK(wait_until((ps_handoff_next_event(handoff, 0, &event, NULL), has_no_child()), 20000));
    }
    ps_handoff_free(handoff);
    ps_command_free(command);
    stage_end();
    return 0;
}
