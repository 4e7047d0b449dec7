/* Any one allocation of a budget's life fails, or all from it on: a begin of a new key is refused with PS_ERR_LIMIT and ENOMEM and was no
   attempt; what is in flight is finished, looked at and reset as ever. */
/* covers: F4, LAW-17, C13-1 */
/* variants: only tier-fork: asan and valgrind are the allocator, and no process is made */
/* timeout: 120 */
#include "no_memory.h"

static void life(void)
{
    ps_budget *budget = NULL;
    ps_budget_state state = {.size = sizeof state};
    uint64_t permits[40] = {0};
    char key[32];
    if (!TAKES(ps_budget_new(1, 3600000, &budget, &error)))
        return;
    WORKS(ps_budget_set_lease(budget, -1, &error));
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "key %d", i);
        if (!TAKES(ps_budget_begin(budget, key, &permits[i], &error)))
            permits[i] = 0;
    }
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "key %d", i);
        WORKS(ps_budget_snapshot(budget, key, &state, &error));
        CHECK_INT(state.attempts_used, permits[i] != 0);
        CHECK_INT(state.in_flight, permits[i] != 0);
        if (!permits[i])
            continue;
        WORKS(ps_budget_finish(budget, permits[i], i % 2, &error));
        SAYS(ps_budget_finish(budget, permits[i], 1, &error), PS_ERR_STATE);
        WORKS(ps_budget_reset(budget, key, &error));
    }
    ARMED_VOID(ps_budget_free(budget));
}

int main(void)
{
    ps_command_free(helper_command("nothing", NULL)); /* the table of handles, whose memory is asked for once */
    every_allocation("one", life, true, 0);
    every_allocation("all", life, false, 0);
    return 0;
}
