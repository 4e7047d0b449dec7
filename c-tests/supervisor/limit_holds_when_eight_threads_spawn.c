/* A slot is taken before a child is made: however many threads spawn, reap and take events, there are never more. */
/* covers: SC-3 */
#include "harness.h"
#include "supervising.h"

enum { THREADS = 8, EACH = 40, LIMIT = 3 };

static ps_supervisor *supervisor;
static int over;

static void *spawn_and_reap(void *unused)
{
    ps_command *command = exiting("0");
    for (int i = 0; i < EACH; i++) {
        ps_child *child = spawn(supervisor, command);
        if (i % 2)
            reap(child);
        ps_child_free(child);
    }
    ps_command_free(command);
    return unused;
}

static void *watch(void *unused)
{
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
        counts now = counts_of(supervisor);
        CHECK(now.running + now.stopping <= LIMIT);
        CHECK(ps_live_count() <= LIMIT);
    }
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS], watcher;
    supervisor = new_supervisor(LIMIT);
    thread_start(&watcher, watch, NULL);
    for (int i = 0; i < THREADS; i++)
        thread_start(&threads[i], spawn_and_reap, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    static event_log log;
    CHECK(wait_until((take_all(supervisor, &log), ps_live_count() == 0 && counts_of(supervisor).pending == 0), 20000));
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    pthread_join(watcher, NULL);
    CHECK_COUNTS(supervisor, 0, 0, 0);
    CHECK(has_no_child());
    ps_supervisor_free(supervisor);
    return 0;
}
