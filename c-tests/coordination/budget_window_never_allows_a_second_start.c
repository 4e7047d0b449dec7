/* The double start of running-process 4.10: a start that took longer than a window was forgotten with the window's counts, and begun a
   second time. Here the counts go, and what is in flight stays in flight. */
/* covers: RP-7, RP-4, C13-1 */
/* variants: none: no process is made, and nothing asked of the kernel but the time */
#include "budgets.h"

int main(void)
{
    ps_budget *budget = budget_of(3, 1);
    uint64_t slow = begin(budget, "key");
    for (int windows = 0; windows < 20; windows++) {
        CHECK(wait_until(look(budget, "key").attempts_used == 0, 20000));
        int64_t now = now_ms();
        CHECK(wait_until(now_ms() > now + 1, 20000));
        CHECK(!refused(budget, "key", PS_ERR_IN_PROGRESS, NULL));
        CHECK_INT(look(budget, "key").in_flight, 1);
    }
    finish(budget, slow, 1); /* late, and valid all the same */
    finish(budget, begin(budget, "key"), 1);
    ps_budget_free(budget);
    return 0;
}
