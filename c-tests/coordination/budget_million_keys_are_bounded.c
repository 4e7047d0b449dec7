/* A million strangers' keys cost memory only as long as their windows: those that are idle are dropped by the begins that follow, and what
   lives at once has a bound, beyond which a new key is refused, and a known one is not. */
/* covers: LAW-17, C13-1 */
/* variants: none: no process is made, and nothing asked of the kernel but the time and memory */
/* timeout: 120 */
#include "budgets.h"

#define LONGEST 4096

static char key[LONGEST + 1];

static ps_status begin_of_stranger(ps_budget *budget, int number, const char *form)
{
    uint64_t permit;
    snprintf(key, sizeof key, form, number);
    return ps_budget_begin(budget, key, &permit, NULL);
}

int main(void)
{
    ps_budget *budget = budget_of(1, 20);
    CHECK_OK(ps_budget_set_lease(budget, 20, NULL), NULL);
    long before = resident_kib(), most = 0;
    for (int i = 0; i < 1000000; i++) {
        CHECK_STATUS(begin_of_stranger(budget, i, "stranger %d"), PS_OK);
        if (i % 10000 == 0 && resident_kib() - before > most)
            most = resident_kib() - before;
    }
    printf("a million keys, 20 ms each: %ld KiB at most\n", most);
    CHECK(most < 60 * 1024); /* all of them: four times as much */
    ps_budget_free(budget);

    /* All of them alive, and as long as can be. */
    budget = budget_of(1, FOREVER_MS);
    before = resident_kib();
    int count = 0;
    ps_status status;
    while ((status = begin_of_stranger(budget, count, "%04096d")) == PS_OK)
        CHECK(++count < 200000);
    CHECK_INT(status, PS_ERR_LIMIT);
    long resident = resident_kib() - before;
    printf("%d keys of %d bytes: %ld KiB\n", count, LONGEST, resident);
    CHECK(count > 30000 && resident < 400 * 1024);
    CHECK_STATUS(begin_of_stranger(budget, count, "%04096d"), PS_ERR_LIMIT);
    CHECK_STATUS(begin_of_stranger(budget, count - 1, "%04096d"), PS_ERR_IN_PROGRESS);
    CHECK_OK(ps_budget_reset(budget, key, NULL), NULL);
    begin(budget, key); /* there is room for it again */
    ps_budget_free(budget);
    return 0;
}
