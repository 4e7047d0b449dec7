/* A look takes no attempt, begins no window, makes no key, and does not use up a storm. */
/* covers: RP-9, C13-1 */
/* variants: none: no process is made, and nothing asked of the kernel but the time */
#include "budgets.h"

int main(void)
{
    ps_budget *budget = budget_of(1, FOREVER_MS);
    ps_budget_state state = look(budget, "never seen");
    CHECK(state.attempts_used == 0 && state.remaining == 1 && !state.in_flight && !state.storm && state.retry_after_ms == 0);
    look(budget, "key");
    fail(budget, "key");
    for (int i = 0; i < 10; i++)
        state = look(budget, "key");
    CHECK(state.attempts_used == 1 && state.remaining == 0 && !state.storm && state.retry_after_ms > 0);
    CHECK(refused(budget, "key", PS_ERR_BUDGET_EXHAUSTED, NULL));
    CHECK(look(budget, "key").storm);

    /* Names that are looked at are names of nobody's. */
    char name[32];
    long before = resident_kib();
    for (int i = 0; i < 200000; i++) {
        snprintf(name, sizeof name, "stranger %d", i);
        ps_budget_state seen = {.size = sizeof seen};
        CHECK_STATUS(ps_budget_snapshot(budget, name, &seen, NULL), PS_OK);
        CHECK_STATUS(ps_budget_reset(budget, name, NULL), PS_OK);
    }
    CHECK(resident_kib() - before < 2048);
    ps_budget_free(budget);
    return 0;
}
