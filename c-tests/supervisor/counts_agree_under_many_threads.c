/* While threads spawn, cancel, stop and reap, whoever asks gets counts that can be true together: never more than the limit,
   never more than there are children; and at the end nothing is left of any. */
/* covers: SC-17 */
/* timeout: 120 */
#include "harness.h"
#include "supervising.h"

enum { THREADS = 5, EACH = 80, LIMIT = 4 };

static ps_supervisor *supervisor;
static int over, taken[PS_EVENT_FAILED + 1];

static void *work(void *which)
{
    unsigned seed = (unsigned)(intptr_t)which + 1;
    for (int i = 0; i < EACH; i++) {
        ps_child *child[3];
        for (int k = 0; k < 3; k++)
            child[k] = spawn_once(supervisor, k == 1 ? pausing() : exiting("0"));
        for (int k = 0; k < 3; k++) {
            ps_status status = PS_OK;
            switch (k == 1 ? rand_r(&seed) % 2 : rand_r(&seed) % 4) {
            case 0: status = ps_terminate(child[k], 0, NULL, NULL); break;
            case 1:
                CHECK_OK(ps_terminate_begin(child[k], -1, NULL), NULL);
                status = ps_reap(child[k], PATIENCE_MS, NULL, NULL);
                break;
            default: status = ps_reap(child[k], PATIENCE_MS, NULL, NULL); break;
            }
            CHECK(status == PS_OK || status == PS_ERR_CANCELLED);
            ps_child_free(child[k]);
        }
    }
    return NULL;
}

static void *watch(void *unused)
{
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
        counts now = counts_of(supervisor);
        CHECK(now.running + now.stopping <= LIMIT);
        CHECK(now.pending + now.running + now.stopping <= 3 * THREADS);
    }
    return unused;
}

static void *take(void *unused)
{
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
        ps_event event = {.size = sizeof event};
        if (ps_supervisor_next_event(supervisor, 20, &event, NULL) == PS_OK) {
            CHECK(event.kind == PS_EVENT_STARTED || event.kind == PS_EVENT_EXITED || event.kind == PS_EVENT_CANCELLED);
            taken[event.kind]++;
        }
    }
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS], watcher, taker;
    supervisor = new_supervisor(LIMIT);
    thread_start(&watcher, watch, NULL);
    thread_start(&taker, take, NULL);
    for (int i = 0; i < THREADS; i++)
        thread_start(&threads[i], work, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    pthread_join(watcher, NULL);
    pthread_join(taker, NULL);
    CHECK_COUNTS(supervisor, 0, 0, 0);
    CHECK_INT(ps_live_count(), 0);
    CHECK(taken[PS_EVENT_STARTED] > 0);
    ps_supervisor_free(supervisor);
    return 0;
}
