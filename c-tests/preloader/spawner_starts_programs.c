/* With a spawner a child is pending first, then started; its exit is told as ever, and it is the host's own child. */
/* covers: C15-5, LAW-7, LAW-11 */
/* variants: few */
#include "harness.h"
#include "spawning.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = spawner_supervisor();
    CHECK_INT(ps_live_count(), 1);
    ps_command *command = helper_command("exit_with", "7", NULL);
    CHECK_OK(ps_command_user_data(command, 42, &error), error);
    for (int i = 0; i < 3; i++) {
        ps_child *child = NULL;
        CHECK_OK(ps_spawn(supervisor, command, &child, &error), error);
        ps_event event = next_event(supervisor);
        CHECK_INT(event.kind, PS_EVENT_STARTED);
        CHECK(event.child == child && event.user_data == 42 && event.pid > 0);
        int32_t tier = 0;
        CHECK_OK(ps_child_spawn_tier(child, &tier, &error), error);
        CHECK_INT(tier, PS_TIER_SPAWNER);
        event = next_event(supervisor);
        CHECK_INT(event.kind, PS_EVENT_EXITED);
        CHECK_INT(event.exit.kind, PS_EXIT_EXITED);
        CHECK_INT(event.exit.code, 7);
        CHECK_INT(event.exit.cause, PS_CAUSE_SELF);
        ps_child_free(child);
    }
    /* Two at once, and reaped by call. */
    ps_child *child = NULL;
    CHECK_OK(ps_spawn(supervisor, command, &child, &error), error);
    ps_exit end = {.size = sizeof end};
    CHECK_OK(ps_reap(child, 20000, &end, &error), error);
    CHECK_INT(end.code, 7);
    ps_child_free(child);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    CHECK_INT(ps_live_count(), 0);
    CHECK_INT(child_count(), 0);
    return 0;
}
