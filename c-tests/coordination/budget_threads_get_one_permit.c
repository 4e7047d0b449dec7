/* Many threads begin the same keys at once: never two permits of one key, and every permit that is given can be finished. A budget that is
   freed beneath them answers PS_ERR_BAD_HANDLE from then on. */
/* covers: RP-4, C13-1 */
/* variants: none: no process is made, and nothing asked of the kernel but the time */
/* serial */
#include "budgets.h"
#include <stdatomic.h>

#define THREADS 4
#define KEYS 3
#define ROUNDS 20000

static ps_budget *_Atomic budget;
static atomic_int out[KEYS], granted;

static void *start(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        char key[2] = {(char)('a' + i % KEYS), 0};
        uint64_t permit;
        ps_status status = ps_budget_begin(budget, key, &permit, NULL);
        if (status == PS_ERR_IN_PROGRESS)
            continue;
        CHECK_INT(status, PS_OK);
        CHECK_INT(atomic_fetch_add(&out[i % KEYS], 1), 0);
        atomic_fetch_add(&granted, 1);
        atomic_fetch_sub(&out[i % KEYS], 1);
        CHECK_STATUS(ps_budget_finish(budget, permit, i % 5 == 0, NULL), PS_OK);
    }
    return unused;
}

static atomic_bool stop;

static void *use(void *unused)
{
    while (!atomic_load(&stop)) {
        uint64_t permit;
        ps_budget *it = budget;
        ps_status status = ps_budget_begin(it, "key", &permit, NULL);
        CHECK(status == PS_OK || status == PS_ERR_IN_PROGRESS || status == PS_ERR_BAD_HANDLE);
        if (status == PS_OK) {
            status = ps_budget_finish(it, permit, 1, NULL);
            CHECK(status == PS_OK || status == PS_ERR_BAD_HANDLE);
        }
    }
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS];
    budget = budget_of(UINT32_MAX, FOREVER_MS);
    for (int i = 0; i < THREADS; i++)
        thread_start(&threads[i], start, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(granted > 0);
    for (int i = 0; i < KEYS; i++)
        CHECK(!look(budget, (char[]){(char)('a' + i), 0}).in_flight);
    ps_budget_free(budget);

    budget = budget_of(0, 0);
    for (int i = 0; i < THREADS; i++)
        thread_start(&threads[i], use, NULL);
    for (int i = 0; i < 500; i++) {
        ps_budget *old = budget;
        budget = budget_of(0, 0);
        ps_budget_free(old);
        ps_budget_free(old);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ps_budget_free(budget);
    return 0;
}
