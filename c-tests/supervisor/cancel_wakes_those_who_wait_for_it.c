/* Threads wait in ps_reap for a child in line, another one cancels it: all of them answer PS_ERR_CANCELLED at once. */
/* covers: SC-7 */
#include "harness.h"
#include "supervising.h"

enum { WAITERS = 8 };

static ps_child *child;
static int inside;

static void *wait_for_it(void *how)
{
    __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    ps_exit end = {.size = sizeof end};
    CHECK_STATUS(ps_reap(child, how ? -1 : PATIENCE_MS, &end, NULL), PS_ERR_CANCELLED);
    return NULL;
}

int main(void)
{
    pthread_t threads[WAITERS];
    ps_supervisor *supervisor = new_supervisor(1);
    ps_child *first = spawn_named(supervisor, pausing(), 1);
    for (int round = 0; round < 30; round++) {
        child = spawn_named(supervisor, exiting("0"), 2);
        inside = 0;
        for (int i = 0; i < WAITERS; i++)
            thread_start(&threads[i], wait_for_it, (void *)(intptr_t)(i % 2));
        CHECK(wait_until(__atomic_load_n(&inside, __ATOMIC_SEQ_CST) == WAITERS, 20000));
        let_others_run(round * 20);
        cancel(child);
        for (int i = 0; i < WAITERS; i++)
            pthread_join(threads[i], NULL);
        ps_child_free(child);
    }
    CHECK_COUNTS(supervisor, 0, 1, 0);
    kill_and_free(first);
    ps_supervisor_free(supervisor);
    return 0;
}
