/* A forked copy of the host owns no budget: PS_ERR_FORKED, whatever a thread of the original was doing with it; its free frees nothing, and
   a budget of its own works. */
/* covers: LAW-6, C13-1 */
/* variants: none: no process is made by the library, and nothing asked of the kernel but the time */
#include "budgets.h"
#include <stdatomic.h>

static ps_budget *budget;
static uint64_t permit;
static atomic_bool stop;

static void *busy(void *unused)
{
    while (!atomic_load(&stop))
        finish(budget, begin(budget, "busy"), 1);
    return unused;
}

static void in_the_copy(void)
{
    uint64_t other = 0;
    ps_budget_state state = {.size = sizeof state};
    CHECK_STATUS(ps_budget_begin(budget, "key", &other, NULL), PS_ERR_FORKED);
    CHECK_STATUS(ps_budget_finish(budget, permit, 1, NULL), PS_ERR_FORKED);
    CHECK_STATUS(ps_budget_reset(budget, "key", NULL), PS_ERR_FORKED);
    CHECK_STATUS(ps_budget_snapshot(budget, "key", &state, NULL), PS_ERR_FORKED);
    CHECK_STATUS(ps_budget_set_lease(budget, 1, NULL), PS_ERR_FORKED);
    CHECK_STATUS(ps_budget_set_healthy(budget, 1, NULL), PS_ERR_FORKED);
    ps_budget_free(budget);
    ps_budget *own = budget_of(1, FOREVER_MS);
    uint64_t mine = begin(own, "key");
    CHECK(mine != permit);
    finish(own, mine, 1);
    ps_budget_free(own);
}

int main(void)
{
    budget = budget_of(UINT32_MAX, FOREVER_MS);
    permit = begin(budget, "key");
    pthread_t thread;
    thread_start(&thread, busy, NULL);
    for (int i = 0; i < 20; i++)
        in_forked_process(in_the_copy);
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    CHECK(look(budget, "key").in_flight);
    finish(budget, permit, 1);
    ps_budget_free(budget);
    return 0;
}
