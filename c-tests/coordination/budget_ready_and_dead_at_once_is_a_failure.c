/* Where a success must last, who is ready and dies at once has failed: whether the same permit says so, or the next begin does. So a crash
   loop of children that become ready each time is given up. */
/* covers: CO-pm2-839, CO-supervisor-1285, RP-6, C13-1 */
/* variants: none: no process is made, and nothing asked of the kernel but the time */
#include "budgets.h"

int main(void)
{
    ps_budget *budget = budget_of(3, FOREVER_MS);
    CHECK_OK(ps_budget_set_healthy(budget, FOREVER_MS, NULL), NULL);
    for (uint32_t used = 1; used <= 3; used++) {
        uint64_t permit = begin(budget, "told");
        finish(budget, permit, 1);
        ps_budget_state state = look(budget, "told");
        CHECK(!state.in_flight && state.attempts_used == used); /* it has not proved itself */
        finish(budget, permit, 0); /* dead */
        stale(budget, permit);
        CHECK_INT(look(budget, "told").attempts_used, used);
    }
    CHECK(refused(budget, "told", PS_ERR_BUDGET_EXHAUSTED, NULL));

    /* Who says nothing of the death, and begins again. */
    uint64_t last = 0;
    for (int i = 0; i < 3; i++) {
        uint64_t permit = begin(budget, "silent");
        finish(budget, permit, 1);
        if (last)
            stale(budget, last);
        last = permit;
    }
    CHECK(refused(budget, "silent", PS_ERR_BUDGET_EXHAUSTED, NULL));
    stale(budget, last); /* the refused one, too, was needed again */
    ps_budget_free(budget);

    /* Who stays up has succeeded, and is not taken back. */
    budget = budget_of(1, FOREVER_MS);
    CHECK_OK(ps_budget_set_healthy(budget, 20, NULL), NULL);
    int64_t before = now_ms();
    last = begin(budget, "key");
    finish(budget, last, 1);
    stale(budget, 0);
    CHECK(wait_until(look(budget, "key").attempts_used == 0, 20000));
    CHECK(now_ms() >= before + 20);
    stale(budget, last);
    CHECK_OK(ps_budget_set_healthy(budget, 0, NULL), NULL); /* at once again */
    finish(budget, begin(budget, "key"), 1);
    CHECK_INT(look(budget, "key").attempts_used, 0);
    ps_budget_free(budget);
    return 0;
}
