/* A begin is granted, with attempts counted from the first; refused while another is in flight, before the budget is looked at and without
   using it; refused when the attempts are used. */
/* covers: RP-3, RP-4, C13-1 */
/* variants: none: no process is made, and nothing asked of the kernel but the time */
#include "budgets.h"

int main(void)
{
    ps_budget *budget = budget_of(2, FOREVER_MS);
    CHECK_OK(ps_budget_set_lease(budget, FOREVER_MS, NULL), NULL);
    uint64_t first = begin(budget, "key");
    ps_budget_state state = look(budget, "key");
    CHECK(state.attempts_used == 1 && state.remaining == 1 && state.in_flight == 1 && state.storm == 0);
    int64_t after = 0;
    for (int i = 0; i < 10; i++)
        CHECK(!refused(budget, "key", PS_ERR_IN_PROGRESS, &after));
    CHECK(after > 0 && after <= FOREVER_MS); /* what is left of the lease */
    state = look(budget, "key");
    CHECK(state.attempts_used == 1 && state.remaining == 1 && state.retry_after_ms > 0);
    finish(budget, first, 0);

    uint64_t second = begin(budget, "key");
    CHECK(second != first);
    CHECK(!refused(budget, "key", PS_ERR_IN_PROGRESS, NULL)); /* although no attempt is left: single flight comes first */
    CHECK_INT(look(budget, "key").remaining, 0);
    finish(budget, second, 0);
    refused(budget, "key", PS_ERR_BUDGET_EXHAUSTED, &after);
    CHECK(after > 0 && after <= FOREVER_MS);
    state = look(budget, "key");
    CHECK(state.attempts_used == 2 && state.remaining == 0 && !state.in_flight && state.retry_after_ms > 0 && state.retry_after_ms <= after);

    /* Without a lease nobody knows when. */
    CHECK_OK(ps_budget_set_lease(budget, -1, NULL), NULL);
    begin(budget, "other");
    CHECK(!refused(budget, "other", PS_ERR_IN_PROGRESS, &after));
    CHECK_INT(after, -1);
    CHECK_INT(look(budget, "other").retry_after_ms, -1);
    ps_budget_free(budget);
    return 0;
}
