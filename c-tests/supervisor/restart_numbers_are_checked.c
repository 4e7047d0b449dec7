/* Wrong numbers for restarts, limits and counts are refused and change nothing. */
#include "harness.h"
#include "supervising.h"

static const int64_t long_ms = INT64_MAX / 1000000;

int main(void)
{
    ps_command *command = exiting("0");
    ps_child *children[2] = {NULL, NULL};
    static const struct { int32_t policy; int64_t min, max; } wrong[] = {
        {-1, 0, 0}, {3, 0, 0}, {PS_RESTART_ALWAYS, -1, 5},
        {PS_RESTART_ALWAYS, 0, -1}, {PS_RESTART_ALWAYS, 10, 9}, {PS_RESTART_ALWAYS, 0, INT64_MAX}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_STATUS(ps_command_restart(command, wrong[i].policy, wrong[i].min, wrong[i].max, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_restart_limit(command, 1, -1, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_restart_early_exit(command, -1, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_restart_early_exit(command, INT64_MAX, NULL), PS_ERR_INVALID_ARGUMENT);
    reap_and_free(spawn(NULL, command)); /* still without a policy */

    ps_supervisor *supervisor = new_supervisor(UINT32_MAX);
    CHECK_STATUS(ps_supervisor_set_max_pending(supervisor, UINT32_MAX, NULL), PS_OK);
    CHECK_STATUS(ps_supervisor_shutdown(supervisor, -2, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_spawn_replicas(supervisor, command, 0, children, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_spawn_replicas(supervisor, command, 1, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    expect_nothing(supervisor);
    CHECK_COUNTS(supervisor, 0, 0, 0);

    /* The longest wait there is: no overflow, it just does not come back. */
    CHECK_STATUS(ps_command_restart(command, PS_RESTART_ALWAYS, long_ms, long_ms, NULL), PS_OK);
    CHECK_STATUS(ps_command_restart_limit(command, UINT32_MAX, long_ms, NULL), PS_OK);
    ps_child *child = spawn_named(supervisor, command, 1);
    expect(supervisor, PS_EVENT_STARTED, 1);
    expect(supervisor, PS_EVENT_EXITED, 1);
    CHECK(expect(supervisor, PS_EVENT_RESTARTING, 1).delay_ms > 1000000000000);
    expect_nothing(supervisor);
    CHECK_INT(state_of(child), PS_STATE_PENDING);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
