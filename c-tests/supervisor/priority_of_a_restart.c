/* A service that has died goes before the batch that waits when its rest is over, if its command says so; without that it would stand behind
   (restart_joins_the_line_at_its_end). The same holds for replicas. */
/* variants: few */
#include "harness.h"
#include "supervising.h"

enum { BATCH = 6 };

static event_log log;

static void batch_behind(ps_supervisor *supervisor, gate *gates, ps_child **batch)
{
    for (int i = 0; i < BATCH; i++) {
        gates[i] = new_gate();
        batch[i] = spawn_named(supervisor, at_gate(&gates[i]), (uint64_t)i + 10);
    }
}

int main(void)
{
    ps_error *error = NULL;
    gate gates[BATCH];
    ps_child *batch[BATCH], *service = NULL;
    ps_supervisor *supervisor = new_supervisor(1);
    ps_command *command = name_it(restarting(pausing(), PS_RESTART_ALWAYS, 0, 0), 1);
    CHECK_OK(ps_command_priority(command, 10, &error), error);
    CHECK_OK(ps_spawn_replicas(supervisor, command, 1, &service, &error), error);
    ps_command_free(command);
    batch_behind(supervisor, gates, batch);
    take_until(supervisor, &log, PS_EVENT_STARTED, 1, 1);

    /* The first of the batch takes the slot while the service rests. */
    CHECK_OK(ps_signal(service, SIGKILL, &error), error);
    take_until(supervisor, &log, PS_EVENT_STARTED, 10, 1);
    take_until(supervisor, &log, PS_EVENT_RESTARTING, 1, 1);
    ps_event event = {.size = sizeof event};
    while (ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK) {
    }
    CHECK_COUNTS(supervisor, BATCH, 1, 0);
    open_gate(&gates[0]);
    take_until(supervisor, &log, PS_EVENT_STARTED, 1, 2);
    CHECK_INT(logged(&log, PS_EVENT_STARTED, 11), 0);
    CHECK_COUNTS(supervisor, BATCH - 1, 1, 0);

    cancel(service);
    for (int i = 1; i < BATCH; i++)
        open_gate(&gates[i]);
    take_until(supervisor, &log, PS_EVENT_EXITED, 10 + BATCH - 1, 1);
    for (int i = 1; i < BATCH - 1; i++)
        CHECK(place_of(&log, PS_EVENT_STARTED, (uint64_t)i + 10) < place_of(&log, PS_EVENT_STARTED, (uint64_t)i + 11));
    for (int i = 0; i < BATCH; i++)
        ps_child_free(batch[i]);
    ps_child_free(service);
    ps_supervisor_free(supervisor);
    return 0;
}
