/* Where nobody asks for readiness a child is ready when its program has begun, and there is no READY event; where PS_READY_EXEC is asked for
   by name, there is one, right behind STARTED. */
/* covers: C13-3 */
#include "harness.h"

#include "ready.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_command *command = NULL;
    warm_up();
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    ps_child *child = spawn_in(supervisor, ready_command(PS_READY_EXEC, NULL, 1, "pause", NULL));
    expect(supervisor, PS_EVENT_STARTED, 0);
    expect(supervisor, PS_EVENT_READY, 0);
    expect_nothing(supervisor);
    CHECK_OK(ps_wait_ready(child, 0, &error), error);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    expect(supervisor, PS_EVENT_EXITED, 0);
    ps_child_free(child);

    for (int i = 0; i < 2; i++) {
        command = helper_command("pause_forever", NULL);
        child = spawn_in(i ? NULL : supervisor, command);
        CHECK_OK(ps_wait_ready(child, 0, &error), error);
        ps_notified notified = {.size = sizeof notified};
        CHECK_STATUS(ps_child_notified(child, &notified, NULL), PS_ERR_STATE);
        CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
        CHECK_ERROR(ps_wait_ready(child, -1, &error), PS_ERR_EXITED, &error);
        CHECK_STR(ps_error_step(error), "ready");
        ps_error_free(error);
        if (!i) {
            expect(supervisor, PS_EVENT_STARTED, 0);
            expect(supervisor, PS_EVENT_EXITED, 0);
            expect_nothing(supervisor);
        }
        ps_child_free(child);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
