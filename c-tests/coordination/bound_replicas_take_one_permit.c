/* One permit starts a whole replica set. When all of them die together they come back one after the other, each under a permit of its own; with
   fewer attempts than replicas the last wait until the first have proved themselves. */
/* covers: C13-5 */
/* variants: few */
#include "harness.h"

#include "supervising.h"

#include "bound.h"

enum { REPLICAS = 5 };

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    ps_budget *budget = new_budget(2, 600000, 50);
    ps_command *command = bound(restless(helper_command("pause_forever", NULL)), budget, "k");
    ps_child *replicas[REPLICAS];
    ps_error *error = NULL;
    CHECK_OK(ps_spawn_replicas(supervisor, command, REPLICAS, replicas, &error), error);
    CHECK_INT(used(budget, "k"), 1);
    CHECK(!look_at(budget, "k").in_flight);
    event_log log = {0};
    take_until(supervisor, &log, PS_EVENT_STARTED, 0, REPLICAS);
    await_used(supervisor, budget, "k", 0);

    for (int i = 0; i < REPLICAS; i++)
        CHECK_OK(ps_signal(replicas[i], SIGKILL, &error), error);
    take_until(supervisor, &log, PS_EVENT_STARTED, 0, 2 * REPLICAS);
    CHECK_INT(logged(&log, PS_EVENT_GAVE_UP, 0), 0);
    int waited = 0;
    for (int i = 0; i < log.count; i++)
        waited += log.events[i].kind == PS_EVENT_RESTARTING && log.events[i].reason == PS_REASON_IN_PROGRESS;
    CHECK(waited > 0);
    CHECK_COUNTS(supervisor, 0, REPLICAS, 0);
    await_used(supervisor, budget, "k", 0);
    for (int i = 0; i < REPLICAS; i++)
        end_child(replicas[i]);
    ps_command_free(command);

    /* All or none: one that cannot be started gives the permit back, and has used one attempt. */
    command = bound(helper_command("pause_forever", NULL), budget, "none");
    CHECK_OK(ps_command_cwd(command, "/nowhere/at/all", &error), error);
    CHECK_ERROR(ps_spawn_replicas(supervisor, command, REPLICAS, replicas, &error), PS_ERR_NOT_FOUND, &error);
    ps_error_free(error);
    CHECK_INT(used(budget, "none"), 1);
    CHECK(!look_at(budget, "none").in_flight);
    ps_command_free(command);

    /* A set of which one dies before it has proved itself has failed. */
    CHECK_OK(ps_budget_set_healthy(budget, 600000, &error), error);
    command = bound(exiting("1"), budget, "dies");
    CHECK_OK(ps_command_restart(command, PS_RESTART_ON_FAILURE, 600000, 600000, &error), error);
    CHECK_OK(ps_spawn_replicas(supervisor, command, 2, replicas, &error), error);
    take_until(supervisor, &log, PS_EVENT_RESTARTING, 0, logged(&log, PS_EVENT_RESTARTING, 0) + 2);
    CHECK_INT(used(budget, "dies"), 1);
    CHECK_FREE(budget, "dies");
    ps_child_free(replicas[0]);
    ps_child_free(replicas[1]);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    ps_budget_free(budget);
    return 0;
}
