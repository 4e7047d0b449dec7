/* A handler of the host's that runs meanwhile ends ps_handoff_next_event and ps_handoff_supervisor_next_event: PS_PENDING. */
/* variants: none */
#include "harness.h"

#include "handoff.h"
#include "interrupting.h"

int main(void)
{
    ps_handoff *handoff = NULL;
    ps_handoff_supervisor *sup = NULL;
    ps_error *error = NULL;
    char other[128];
    stage_begin();
    CHECK_OK(ps_handoff_new(stage.path, &handoff, &error), error);
    ps_handoff_event event = {.size = sizeof event};
    CHECK_OK(ps_handoff_next_event(handoff, -1, &event, &error), error);
    CHECK_OK(ps_handoff_live(handoff, &error), error);
    snprintf(other, sizeof other, "%s/other", stage.dir);
    CHECK_OK(ps_handoff_supervisor_new(other, &sup, &error), error);
    ps_handoff_supervisor_event supervised = {.size = sizeof supervised};
    for (int flags = 0; flags < 2; flags++) {
        interrupts_go_to(note_interrupt, flags ? SA_RESTART : 0);
        CHECK_STATUS(INTERRUPTED(ps_handoff_next_event(handoff, -1, &event, &error)), PS_PENDING);
        CHECK_STATUS(INTERRUPTED(ps_handoff_supervisor_next_event(sup, -1, &supervised, &error)), PS_PENDING);
    }
    CHECK(error == NULL && interrupts_handled >= 4);
    ps_handoff_supervisor_free(sup);
    ps_handoff_free(handoff);
    stage_end();
    return 0;
}
