/* Nobody takes events; threads wait in ps_reap for children in line. A higher limit must reach them, although no descriptor tells. */
/* covers: SC-3 */
#include "harness.h"
#include "supervising.h"

enum { WAITERS = 6 };

static ps_child *child[WAITERS];
static int inside;

static void *wait_for_it(void *place)
{
    __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    CHECK_INT(reap(child[(intptr_t)place]).code, 3);
    return NULL;
}

int main(void)
{
    pthread_t threads[WAITERS];
    for (int round = 0; round < 20; round++) {
        ps_supervisor *supervisor = new_supervisor(1);
        ps_child *first = spawn_once(supervisor, pausing());
        inside = 0;
        for (int i = 0; i < WAITERS; i++) {
            child[i] = spawn_once(supervisor, exiting("3"));
            thread_start(&threads[i], wait_for_it, (void *)(intptr_t)i);
        }
        CHECK(wait_until(__atomic_load_n(&inside, __ATOMIC_SEQ_CST) == WAITERS, 20000));
        let_others_run(round * 20);
        limit_running(supervisor, round % 2 ? 2 : 0);
        for (int i = 0; i < WAITERS; i++) {
            pthread_join(threads[i], NULL);
            ps_child_free(child[i]);
        }
        kill_and_free(first);
        ps_supervisor_free(supervisor);
    }
    return 0;
}
