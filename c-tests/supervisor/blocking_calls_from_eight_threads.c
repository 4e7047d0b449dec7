/* ps_reap and ps_terminate from eight threads on a shared set of children, queued ones among them: with nobody who takes events, with one
   taker, with four. All get the same record; every process has one STARTED and one EXITED. */
/* timeout: 120 */
#include "harness.h"
#include "supervising.h"

enum { THREADS = 8, JOBS = 40 };

static ps_supervisor *supervisor;
static ps_child *jobs[JOBS];
static ps_exit ends[THREADS][JOBS];
static int over, started[JOBS], ended[JOBS];

static void *wait_for_all(void *which)
{
    int self = (int)(intptr_t)which;
    for (int i = 0; i < JOBS; i++) {
        int job = (i + self * 5) % JOBS;
        ps_exit *end = &ends[self][job];
        end->size = sizeof *end;
        if (self % 4 == 3 && job % 2)
            CHECK_OK(ps_reap(jobs[job], PATIENCE_MS, end, NULL), NULL);
        else if (job % 2) /* one that never ends by itself; in line it must not be cancelled */
            CHECK(wait_until(state_of(jobs[job]) != PS_STATE_PENDING, 20000) && ps_terminate(jobs[job], -1, end, NULL) == PS_OK);
        else
            CHECK_OK(ps_reap(jobs[job], PATIENCE_MS, end, NULL), NULL);
    }
    return NULL;
}

static void count(const ps_event *event)
{
    CHECK(event->kind == PS_EVENT_STARTED || event->kind == PS_EVENT_EXITED);
    __atomic_add_fetch(event->kind == PS_EVENT_STARTED ? &started[event->user_data] : &ended[event->user_data], 1, __ATOMIC_RELAXED);
}

static void *take(void *unused)
{
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
        ps_event event = {.size = sizeof event};
        if (ps_supervisor_next_event(supervisor, 10, &event, NULL) == PS_OK)
            count(&event);
    }
    return unused;
}

int main(void)
{
    static const int takers[] = {0, 1, 4};
    pthread_t threads[THREADS], taker[4];
    for (int round = 0; round < 6; round++) {
        memset(started, 0, sizeof started);
        memset(ended, 0, sizeof ended);
        over = 0;
        supervisor = new_supervisor(round < 3 ? 0 : 3);
        for (int i = 0; i < JOBS; i++)
            jobs[i] = spawn_named(supervisor, i % 2 ? pausing() : exiting("0"), (uint64_t)i);
        for (int i = 0; i < takers[round % 3]; i++)
            thread_start(&taker[i], take, NULL);
        for (int i = 0; i < THREADS; i++)
            thread_start(&threads[i], wait_for_all, (void *)(intptr_t)i);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
        for (int i = 0; i < takers[round % 3]; i++)
            pthread_join(taker[i], NULL);
        ps_event event = {.size = sizeof event};
        while (ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK)
            count(&event);
        for (int i = 0; i < JOBS; i++) {
            CHECK_INT(started[i], 1);
            CHECK_INT(ended[i], 1);
            for (int k = 1; k < THREADS; k++)
                CHECK(memcmp(&ends[k][i], &ends[0][i], sizeof(ps_exit)) == 0);
            ps_child_free(jobs[i]);
        }
        CHECK_COUNTS(supervisor, 0, 0, 0);
        ps_supervisor_free(supervisor);
    }
    return 0;
}
