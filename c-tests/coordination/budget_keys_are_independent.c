/* A key is the caller's text, all of it: another text is another key, with its own attempts, flight and storm. Its bytes may be any but NUL. */
/* covers: RP-1, RP-10, C13-1 */
/* variants: none: no process is made, and nothing asked of the kernel but the time */
#include "budgets.h"

int main(void)
{
    static char one[4097], two[4097];
    memset(one, 'x', 4096);
    memset(two, 'x', 4096);
    two[4095] = 'y'; /* they differ in their last byte */
    const char *const keys[] = {"", " ", "service 1.0 3f2a", "service 1.0 3f2b", "SERVICE 1.0 3f2a", "service", "\xff\xfe", "\x1b[31m", one, two};
    const size_t count = sizeof keys / sizeof *keys;
    ps_budget *budget = budget_of(2, FOREVER_MS);
    uint64_t permits[16];
    for (size_t i = 0; i < count; i++) {
        CHECK_INT(look(budget, keys[i]).attempts_used, 0);
        permits[i] = begin(budget, keys[i]);
    }
    for (size_t i = 0; i < count; i += 2) {
        finish(budget, permits[i], 0);
        fail(budget, keys[i]);
        CHECK(refused(budget, keys[i], PS_ERR_BUDGET_EXHAUSTED, NULL));
    }
    for (size_t i = 0; i < count; i++) {
        ps_budget_state state = look(budget, keys[i]);
        CHECK(i % 2 == 0 ? state.storm && state.attempts_used == 2 && !state.in_flight
                         : !state.storm && state.attempts_used == 1 && state.in_flight);
    }
    ps_budget_free(budget);
    return 0;
}
