/* A shutdown asked for again, from any thread, at any time, changes nothing but the grace, and there is one SHUTDOWN_DONE. */
/* covers: SC-8 */
#include "harness.h"
#include "supervising.h"

enum { THREADS = 4 };

static ps_supervisor *supervisor;

static void *shut_down_often(void *unused)
{
    for (int i = 0; i < 200; i++)
        shut_down(supervisor, 60000);
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS];
    supervisor = new_supervisor(2);
    ps_child *deaf = spawn_deaf(supervisor), *polite = spawn_named(supervisor, pausing(), 2);
    ps_child *waiting = spawn_named(supervisor, pausing(), 3);
    for (int i = 0; i < THREADS; i++)
        thread_start(&threads[i], shut_down_often, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    static event_log log;
    take_until(supervisor, &log, PS_EVENT_EXITED, 2, 1);
    CHECK_INT(logged(&log, PS_EVENT_SHUTDOWN_DONE, 0), 0);
    CHECK_COUNTS(supervisor, 0, 0, 1);
    shut_down(supervisor, 0); /* no patience any more */
    take_until(supervisor, &log, PS_EVENT_SHUTDOWN_DONE, 0, 1);
    CHECK_INT(log.events[log.count - 2].exit.signal, SIGKILL);
    for (int i = 0; i < 10; i++)
        shut_down(supervisor, 0);
    expect_nothing(supervisor);
    CHECK_INT(logged(&log, PS_EVENT_CANCELLED, 3), 1);
    CHECK_INT(logged(&log, PS_EVENT_SHUTDOWN_DONE, 0), 1);
    CHECK_STATUS(ps_supervisor_shutdown(supervisor, -2, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_child_free(deaf);
    ps_child_free(polite);
    ps_child_free(waiting);
    ps_supervisor_free(supervisor);
    return 0;
}
