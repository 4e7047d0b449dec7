/* Memory is out for good, and children that are kept alive die of it: their restarts rest until there is memory, so they use up neither the reserve
   by which others are stopped nor the room in which the ends of others are told. When memory is back they go on. */
/* covers: F4, LAW-11, LAW-17 */
/* variants: only tier-fork: asan and valgrind are the allocator, and the other tiers ask for the same memory */
#include "no_memory.h"
#include "supervising.h"

enum { MANY = 50 };

int main(void)
{
    ps_error *error = NULL;
    ps_event event = {.size = sizeof event};
    ps_supervisor *supervisor = new_supervisor(0);
    ps_child *plain = spawn_named(supervisor, pausing(), 1), *many[MANY];
    ps_command *command = name_it(restarting(pausing(), PS_RESTART_ALWAYS, 0, 0), 2);
    CHECK_OK(ps_command_restart_limit(command, 0, 1000, &error), error);
    for (int i = 0; i < MANY; i++)
        CHECK_OK(ps_spawn(supervisor, command, &many[i], &error), error);
    ps_command_free(command);
    for (int started = 0; started < MANY + 1; started += event.kind == PS_EVENT_STARTED)
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);

    memory.from = 0;
    for (int i = 0; i < MANY; i++)
        CHECK_OK(ARMED(ps_signal(many[i], SIGKILL, NULL)), NULL);
    /* Driven without taking an event. Whoever had blocks of the reserve when it was found out that malloc fails may restart. */
    for (int i = 0; i < 10; i++)
        CHECK_STATUS(ARMED(ps_reap(plain, 100, NULL, NULL)), PS_ERR_TIMEOUT);
    CHECK(counts_of(supervisor).pending > MANY / 2);
    CHECK_OK(ARMED(ps_terminate(plain, 0, NULL, NULL)), NULL);

    memory.from = 1 << 30;
    int ended = 0, exits_of_plain = 0;
    int64_t until = now_ms() + PATIENCE_MS;
    while ((counts_of(supervisor).pending > 0 || !exits_of_plain || ended < MANY) && now_ms() < until) {
        ps_status status = ps_supervisor_next_event(supervisor, 100, &event, NULL);
        CHECK(status == PS_OK || status == PS_PENDING);
        exits_of_plain += status == PS_OK && event.kind == PS_EVENT_EXITED && event.user_data == 1;
        ended += status == PS_OK && event.kind == PS_EVENT_EXITED && event.user_data == 2;
    }
    CHECK_INT(exits_of_plain, 1);
    CHECK_INT(ended, MANY);
    CHECK_COUNTS(supervisor, 0, MANY, 0);
    for (int i = 0; i < MANY; i++)
        ps_child_free(many[i]);
    ps_child_free(plain);
    ps_supervisor_free(supervisor);
    return 0;
}
