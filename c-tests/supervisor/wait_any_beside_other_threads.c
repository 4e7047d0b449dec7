/* Several threads wait for the same children, while others take their events, reap, stop and free them: each wait ends with what it waits for. */
/* variants: few */
#include "harness.h"

#include "supervising.h"

enum { MANY = 6, WAITERS = 3 };

static ps_supervisor *supervisor;
static ps_child *list[MANY];
static ps_status any_answer[WAITERS], all_answer;
static size_t first[WAITERS];
static _Atomic bool over;

static void *waits_for_any(void *number)
{
    intptr_t i = (intptr_t)number;
    any_answer[i] = ps_wait_any(list, MANY, PATIENCE_MS, &first[i], NULL);
    return NULL;
}

static void *waits_for_all(void *unused)
{
    (void)unused;
    all_answer = ps_wait_all(list, MANY, PATIENCE_MS, NULL);
    return NULL;
}

static void *takes_events(void *unused)
{
    (void)unused;
    while (!over) {
        ps_event event = {.size = sizeof event};
        ps_supervisor_next_event(supervisor, 5, &event, NULL);
    }
    return NULL;
}

static void *reaps(void *unused)
{
    (void)unused;
    for (int i = 0; i < MANY; i++)
        ps_reap(list[i], PATIENCE_MS, NULL, NULL);
    return NULL;
}

int main(void)
{
    warm_up();
    for (int round = 0; round < 12; round++) {
        pthread_t thread[WAITERS + 3];
        bool alone = round % 2; /* children of NULL */
        supervisor = new_supervisor(round % 3 == 0 ? 2 : 0);
        for (int i = 0; i < MANY; i++)
            list[i] = spawn_once(alone ? NULL : supervisor, pausing());
        over = false;
        for (intptr_t i = 0; i < WAITERS; i++)
            thread_start(&thread[i], waits_for_any, (void *)i);
        thread_start(&thread[WAITERS], waits_for_all, NULL);
        thread_start(&thread[WAITERS + 1], takes_events, NULL);
        thread_start(&thread[WAITERS + 2], reaps, NULL);
        let_others_run(round * 100);
        /* One ends, or all that run and then all that follow. */
        for (int i = MANY - 1; i >= 0; i--)
            CHECK_STATUS(ps_terminate_begin(list[i], 0, NULL), PS_OK);
        for (int i = 0; i < WAITERS; i++) {
            pthread_join(thread[i], NULL);
            CHECK_INT(any_answer[i], PS_OK);
            CHECK(first[i] < MANY);
        }
        pthread_join(thread[WAITERS], NULL);
        CHECK_INT(all_answer, PS_OK);
        pthread_join(thread[WAITERS + 2], NULL);
        over = true;
        pthread_join(thread[WAITERS + 1], NULL);
        for (int i = 0; i < MANY; i++)
            ps_child_free(list[i]);
        ps_supervisor_free(supervisor);
    }
    return 0;
}
