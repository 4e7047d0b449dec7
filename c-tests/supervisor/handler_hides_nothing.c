/* What there is by the time that a handler has run is told in its place: a child that the handler itself has ended is an EXITED event, one that has
   ended for ps_wait_any and ps_wait_all, and one that failed for ps_wait_ready. */
/* variants: few */
#include "harness.h"

#include "interrupting.h"
#include "supervising.h"

static void ends_all(int signal)
{
    uint32_t left = 99;
    ps_kill_and_reap_all(-1, &left);
    note_interrupt(signal);
}

int main(void)
{
    ps_error *error = NULL;
    interrupts_go_to(ends_all, 0);
    for (int under = 0; under < 2; under++) {
        ps_supervisor *supervisor = under ? supervisor_new() : NULL;
        ps_command *command = pausing();
        CHECK_OK(ps_command_readiness(command, PS_READY_NOTIFY, NULL, -1, &error), error);
        for (int way = under ? 0 : 1; way < 4; way++) {
            ps_child *child = spawn(supervisor, command);
            ps_event event = {.size = sizeof event};
            size_t index = 99;
            if (under)
                take_event(supervisor, PS_EVENT_STARTED);
            if (way == 0) {
                CHECK_OK(INTERRUPTED(ps_supervisor_next_event(supervisor, -1, &event, &error)), error);
                CHECK_INT(event.kind, PS_EVENT_EXITED);
            } else if (way == 1) {
                CHECK_OK(INTERRUPTED(ps_wait_any(&child, 1, -1, &index, &error)), error);
                CHECK_INT(index, 0);
            } else if (way == 2) {
                CHECK_OK(INTERRUPTED(ps_wait_all(&child, 1, -1, &error)), error);
            } else {
                CHECK_ERROR(INTERRUPTED(ps_wait_ready(child, -1, &error)), PS_ERR_EXITED, &error);
                ps_error_free(error);
                error = NULL;
            }
            if (under && way)
                take_event(supervisor, PS_EVENT_EXITED);
            CHECK_INT(reap(child).cause, PS_CAUSE_KILL_ALL);
            ps_child_free(child);
        }
        ps_command_free(command);
        ps_supervisor_free(supervisor);
    }
    return 0;
}
