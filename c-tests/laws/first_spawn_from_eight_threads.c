/* The first ps_spawn of a process comes from eight threads at once: what the library makes at its first use and keeps is there once, not
   once for each thread. */
/* covers: F5, LAW-12 */
#include "harness.h"
#include "children.h"

#define THREADS 8

static pthread_barrier_t start;

static void *spawns(void *unused)
{
    ps_command *command = helper_command("nothing", NULL);
    pthread_barrier_wait(&start);
    reap_and_free(spawn_once(NULL, command));
    return unused;
}

static void storm(void)
{
    int before = count_fds();
    pthread_t thread[THREADS];
    CHECK(pthread_barrier_init(&start, NULL, THREADS) == 0);
    for (int i = 0; i < THREADS; i++)
        thread_start(&thread[i], spawns, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    warm_up();
    int kept = count_fds() - before;
    if (kept > 16)
        harness_fail(__FILE__, __LINE__, "%d descriptors are kept", kept);
    /* and all of them are what one thread would have made */
    leak_guard guard = leak_guard_begin();
    for (int i = 0; i < 20; i++)
        warm_up();
    leak_guard_end(&guard);
}

int main(void)
{
    for (int round = 0; round < 20; round++)
        in_forked_process(storm);
    return 0;
}
