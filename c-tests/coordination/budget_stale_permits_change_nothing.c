/* A permit that was finished, is another budget's, was reset, or never was one: PS_ERR_STATE, and the key is as before. */
/* covers: C13-1 */
/* variants: none: no process is made, and nothing asked of the kernel but the time */
#include "budgets.h"

int main(void)
{
    ps_budget *budget = budget_of(9, FOREVER_MS), *other = budget_of(9, FOREVER_MS);
    uint64_t done = begin(budget, "key");
    finish(budget, done, 0);
    uint64_t out = begin(budget, "key");
    uint64_t foreign = begin(other, "key"), reset = begin(budget, "reset");
    CHECK_OK(ps_budget_reset(budget, "reset", NULL), NULL);
    begin(budget, "reset");
    const uint64_t none[] = {done, foreign, reset, 0, 1, UINT64_MAX, out + 1, out ^ 1, out ^ ((uint64_t)1 << 60)};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        stale(budget, none[i]);
        ps_budget_state state = look(budget, "key"), fresh = look(budget, "reset");
        CHECK(state.in_flight && state.attempts_used == 2 && fresh.in_flight && fresh.attempts_used == 1);
    }
    CHECK(look(other, "key").in_flight);
    finish(budget, out, 1);
    stale(budget, out);
    CHECK_INT(look(budget, "key").attempts_used, 0);

    /* As many of both, so that no number of one can be one of the other by luck. */
    for (int i = 0; i < 100; i++) {
        char key[16];
        snprintf(key, sizeof key, "many %d", i);
        begin(budget, key);
        stale(budget, begin(other, key));
        CHECK(look(budget, key).in_flight);
    }
    ps_budget_free(budget);
    ps_budget_free(other);
    return 0;
}
