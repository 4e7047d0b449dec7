/* The late finish of running-process 4.10: the old start's finish ended the newer one's flight, so a third could begin. Here a permit whose
   lease is over is stale, and changes nothing. */
/* covers: RP-7, RP-6, C13-1 */
/* variants: none: no process is made, and nothing asked of the kernel but the time */
#include "budgets.h"

int main(void)
{
    ps_budget *budget = budget_of(9, FOREVER_MS);
    CHECK_OK(ps_budget_set_lease(budget, 1, NULL), NULL);
    uint64_t old = begin(budget, "key");
    CHECK(wait_until(!look(budget, "key").in_flight, 20000));
    CHECK_OK(ps_budget_set_lease(budget, FOREVER_MS, NULL), NULL);
    CHECK(!look(budget, "key").in_flight); /* a longer lease is not that of a permit that has ended */
    uint64_t newer = begin(budget, "key");
    stale(budget, old);
    ps_budget_state state = look(budget, "key");
    CHECK(state.in_flight && state.attempts_used == 2);
    CHECK(!refused(budget, "key", PS_ERR_IN_PROGRESS, NULL)); /* no third */
    finish(budget, newer, 1);
    stale(budget, old);
    stale(budget, newer);
    ps_budget_free(budget);
    return 0;
}
