/* One of many does not end: it is ended at its deadline, the others keep their results. */
/* covers: EV-21 */
/* variants: all */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(0);
    ps_child *child[10];
    ps_command *stuck = pausing();
    CHECK_OK(ps_command_deadline(stuck, 100, &error), error);
    child[0] = spawn_named(supervisor, stuck, 100);
    for (int i = 1; i < 10; i++) {
        char code[8];
        snprintf(code, sizeof code, "%d", i);
        child[i] = spawn_named(supervisor, exiting(code), (uint64_t)i);
    }
    for (int ended = 0; ended < 10;) {
        ps_event event = {.size = sizeof event};
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        if (event.kind != PS_EVENT_EXITED)
            continue;
        ended++;
        if (event.user_data == 100)
            CHECK(event.exit.kind == PS_EXIT_SIGNALED && event.exit.cause == PS_CAUSE_DEADLINE);
        else
            CHECK(event.exit.code == (int32_t)event.user_data && event.exit.cause == PS_CAUSE_SELF);
    }
    for (int i = 0; i < 10; i++)
        ps_child_free(child[i]);
    ps_supervisor_free(supervisor);
    return 0;
}
