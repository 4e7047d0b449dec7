/* Without a word a budget is three attempts in 30 seconds; each 0 stands for its part of that; one attempt is the least. */
/* covers: RP-2, C13-1 */
/* variants: none: no process is made, and nothing asked of the kernel but the time */
#include "budgets.h"

int main(void)
{
    const struct { uint32_t given, attempts; } cases[] = {{0, 3}, {1, 1}, {5, 5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ps_budget *budget = budget_of(cases[i].given, 0);
        CHECK_INT(look(budget, "key").remaining, cases[i].attempts);
        for (uint32_t n = 1; n <= cases[i].attempts; n++) {
            fail(budget, "key");
            CHECK_INT(look(budget, "key").attempts_used, n);
        }
        int64_t after = 0;
        refused(budget, "key", PS_ERR_BUDGET_EXHAUSTED, &after);
        CHECK(after > 0 && after <= 30000);
        ps_budget_free(budget);
    }
    ps_budget *budget = budget_of(0, 1);
    for (int n = 0; n < 3; n++)
        fail(budget, "key");
    CHECK(wait_until(look(budget, "key").attempts_used == 0, 20000)); /* the window that was given holds */
    ps_budget_free(budget);
    return 0;
}
