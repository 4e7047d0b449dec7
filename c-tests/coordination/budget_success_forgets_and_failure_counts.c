/* A success makes the key as if it had never been tried; a failure ends what is in flight and leaves the attempts counted; an attempt is used
   when it begins. */
/* covers: RP-6, C13-1 */
/* variants: none: no process is made, and nothing asked of the kernel but the time */
#include "budgets.h"

int main(void)
{
    ps_budget *budget = budget_of(3, FOREVER_MS);
    for (int round = 0; round < 5; round++) {
        fail(budget, "key");
        fail(budget, "key");
        CHECK_INT(look(budget, "key").attempts_used, 2);
        uint64_t last = begin(budget, "key");
        CHECK_INT(look(budget, "key").attempts_used, 3);
        finish(budget, last, 1);
        ps_budget_state state = look(budget, "key");
        CHECK(state.attempts_used == 0 && state.remaining == 3 && !state.in_flight && !state.storm && state.retry_after_ms == 0);
    }
    ps_budget_free(budget);
    return 0;
}
