/* ps_reap of a child that comes back waits for the end of the last run, and drives the restarts itself: nobody takes events. From several
   threads at once; all get the same record. */
#include "harness.h"
#include "supervising.h"

enum { THREADS = 6 };

static ps_child *child;

static void *wait_for_it(void *unused)
{
    CHECK_INT(reap(child).code, 7);
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int round = 0; round < 10; round++) {
        ps_supervisor *supervisor = new_supervisor((uint32_t)round % 2);
        child = spawn_named(supervisor, giving_up_after(restarting(exiting("7"), PS_RESTART_ON_FAILURE, 0, 3), 4), 1);
        for (int i = 0; i < THREADS; i++)
            thread_start(&threads[i], wait_for_it, NULL);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        static event_log log;
        log.count = 0;
        take_all(supervisor, &log);
        CHECK(logged(&log, PS_EVENT_STARTED, 1) == 4 && logged(&log, PS_EVENT_EXITED, 1) == 4);
        CHECK(logged(&log, PS_EVENT_RESTARTING, 1) == 3 && logged(&log, PS_EVENT_GAVE_UP, 1) == 1);
        CHECK_INT(log.count, 12);
        CHECK_COUNTS(supervisor, 0, 0, 0);
        ps_child_free(child);
        ps_supervisor_free(supervisor);
    }
    return 0;
}
