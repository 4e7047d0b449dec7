/* With a spawner a child is pending first, then started; its exit is told as ever, and it is the host's own. */
/* covers: C15-5, LAW-7, LAW-11 */
/* variants: few */
#include "harness.h"
#include "spawning.h"

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_supervisor *supervisor = spawner_supervisor();
    CHECK_INT(ps_live_count(), 1);
    ps_command *command = exiting("7");
    CHECK_OK(ps_command_user_data(command, 42, &error), error);
    for (int i = 0; i < 3; i++) {
        ps_child *child = spawn(supervisor, command);
        ps_event event = expect(supervisor, PS_EVENT_STARTED, 42);
        CHECK(event.child == child && event.pid > 0 && event.run == 1);
        int32_t tier = 0;
        CHECK_OK(ps_child_spawn_tier(child, &tier, &error), error);
        CHECK_INT(tier, PS_TIER_SPAWNER);
        event = expect(supervisor, PS_EVENT_EXITED, 42);
        CHECK_INT(event.exit.kind, PS_EXIT_EXITED);
        CHECK_INT(event.exit.code, 7);
        CHECK_INT(event.exit.cause, PS_CAUSE_SELF);
        ps_child_free(child);
    }
    /* By call, without events. */
    ps_child *child = spawn(supervisor, command);
    ps_exit end;
    await_end(child, PS_OK, &end);
    CHECK_INT(end.code, 7);
    ps_child_free(child);
    /* Turned on it stays; turned off it goes. */
    pid_t before = spawner_pid();
    CHECK_OK(ps_supervisor_set_spawner(supervisor, 1, &error), error);
    CHECK_INT(spawner_pid(), before);
    CHECK_OK(ps_supervisor_set_spawner(supervisor, 0, &error), error);
    ps_event event = {.size = sizeof event};
    CHECK(wait_until((ps_supervisor_next_event(supervisor, 0, &event, NULL), spawner_pid() == 0 && ps_live_count() == 0), 20000));
    child = spawn(supervisor, command);
    int32_t tier = 0;
    CHECK_OK(ps_child_spawn_tier(child, &tier, &error), error);
    CHECK(tier != PS_TIER_SPAWNER);
    reap_and_free(child);
    CHECK_STATUS(ps_supervisor_set_spawner(supervisor, 2, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_supervisor_set_spawner(NULL, 1, NULL), PS_ERR_BAD_HANDLE);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    leak_guard_end(&guard);
    return 0;
}
