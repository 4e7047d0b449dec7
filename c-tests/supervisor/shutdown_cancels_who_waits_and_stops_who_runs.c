/* After a shutdown nothing starts: who stands in line is cancelled, who runs is asked politely, and when the last one has been
   reaped there is one SHUTDOWN_DONE, after everything else. */
/* covers: SC-8 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(2);
    ps_child *child[5], *none = NULL;
    for (int i = 0; i < 5; i++)
        child[i] = spawn_named(supervisor, pausing(), (uint64_t)i + 1);
    shut_down(supervisor, -1);
    CHECK_INT(counts_of(supervisor).pending, 0);
    CHECK_INT(counts_of(supervisor).running, 0);
    static event_log log;
    take_until(supervisor, &log, PS_EVENT_SHUTDOWN_DONE, 0, 1);
    expect_nothing(supervisor);
    CHECK_INT(log.count, 8);
    CHECK(log.events[7].kind == PS_EVENT_SHUTDOWN_DONE && log.events[7].child == NULL && log.events[7].user_data == 0);
    for (uint64_t i = 1; i <= 2; i++) {
        ps_event ended = log.events[place_of(&log, PS_EVENT_EXITED, i)];
        CHECK(ended.exit.signal == SIGTERM && ended.exit.cause == PS_CAUSE_SHUTDOWN);
        CHECK_INT(reap(child[i - 1]).cause, PS_CAUSE_SHUTDOWN);
    }
    for (uint64_t i = 3; i <= 5; i++) {
        CHECK_INT(log.events[place_of(&log, PS_EVENT_CANCELLED, i)].status, PS_ERR_SHUTDOWN);
        CHECK_STATUS(ps_reap(child[i - 1], 0, NULL, NULL), PS_ERR_SHUTDOWN);
        CHECK_INT(state_of(child[i - 1]), PS_STATE_CANCELLED);
    }
    ps_command *command = pausing();
    CHECK_ERROR(ps_spawn(supervisor, command, &none, &error), PS_ERR_SHUTDOWN, &error);
    ps_error_free(error);
    CHECK_STATUS(ps_spawn_replicas(supervisor, command, 1, &none, NULL), PS_ERR_SHUTDOWN);
    CHECK(none == NULL);
    CHECK_COUNTS(supervisor, 0, 0, 0);
    CHECK(has_no_child());
    ps_command_free(command);
    for (int i = 0; i < 5; i++)
        ps_child_free(child[i]);
    ps_supervisor_free(supervisor);
    return 0;
}
