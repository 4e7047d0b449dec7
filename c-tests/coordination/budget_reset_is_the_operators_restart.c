/* systemd 10529: who has been given up cannot be started by hand. Here an operator's reset makes the key as if it had never been tried, frees
   what is in flight, and is heard of by no other key. */
/* covers: CO-systemd-10529, C13-1 */
/* variants: none: no process is made, and nothing asked of the kernel but the time */
#include "budgets.h"

int main(void)
{
    ps_budget *budget = budget_of(1, FOREVER_MS);
    fail(budget, "key");
    fail(budget, "other");
    CHECK(refused(budget, "key", PS_ERR_BUDGET_EXHAUSTED, NULL));
    CHECK(refused(budget, "other", PS_ERR_BUDGET_EXHAUSTED, NULL));
    CHECK_OK(ps_budget_reset(budget, "key", NULL), NULL);
    uint64_t hung = begin(budget, "key");
    CHECK_OK(ps_budget_reset(budget, "key", NULL), NULL);
    ps_budget_state state = look(budget, "key");
    CHECK(state.attempts_used == 0 && !state.in_flight && !state.storm && state.retry_after_ms == 0);
    stale(budget, hung);
    uint64_t now = begin(budget, "key");
    stale(budget, hung);
    finish(budget, now, 1);
    CHECK(!refused(budget, "other", PS_ERR_BUDGET_EXHAUSTED, NULL)); /* its storm was told */
    CHECK_OK(ps_budget_reset(budget, "never seen", NULL), NULL);
    ps_budget_free(budget);
    return 0;
}
