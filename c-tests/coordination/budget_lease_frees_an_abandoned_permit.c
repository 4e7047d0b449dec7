/* A permit that nobody finishes is freed when its lease is over, and counts as a failure; until then it holds. 60 seconds, unless it is said
   otherwise. */
/* covers: RP-7, C13-1 */
/* variants: none: no process is made, and nothing asked of the kernel but the time */
#include "budgets.h"

int main(void)
{
    ps_budget *budget = budget_of(2, FOREVER_MS);
    int64_t after = 0;
    begin(budget, "usual");
    CHECK(!refused(budget, "usual", PS_ERR_IN_PROGRESS, &after));
    CHECK(after > 60000 - PATIENCE_MS && after <= 60000);

    CHECK_OK(ps_budget_set_lease(budget, 50, NULL), NULL);
    for (uint32_t used = 1; used <= 2; used++) {
        int64_t before = now_ms();
        uint64_t abandoned = begin(budget, "key");
        uint64_t permit;
        if (used == 2) {
            CHECK(wait_until(!look(budget, "key").in_flight, 20000));
        } else {
            while (ps_budget_begin(budget, "key", &permit, NULL) != PS_OK) {
                CHECK(now_ms() < before + PATIENCE_MS);
                poll(NULL, 0, 1);
            }
            stale(budget, abandoned);
            CHECK(now_ms() >= before + 50); /* not sooner */
            CHECK_OK(ps_budget_reset(budget, "key", NULL), NULL);
            fail(budget, "key");
            continue;
        }
        stale(budget, abandoned);
        CHECK(now_ms() >= before + 50);
        CHECK_INT(look(budget, "key").attempts_used, 2);
        CHECK(refused(budget, "key", PS_ERR_BUDGET_EXHAUSTED, NULL));
    }
    CHECK_OK(ps_budget_set_lease(budget, 0, NULL), NULL);
    begin(budget, "again");
    CHECK(!refused(budget, "again", PS_ERR_IN_PROGRESS, &after));
    CHECK(after > 60000 - PATIENCE_MS && after <= 60000);
    ps_budget_free(budget);
    return 0;
}
