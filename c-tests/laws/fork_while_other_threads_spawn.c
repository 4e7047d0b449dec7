/* serial */
/* The host forks at any moment of other threads' spawns. No copy inherits a held lock, a half-made child or a wait. */
/* covers: LAW-6, LAW-13, EV-6 */
/* variants: not valgrind: one thread at a time is too slow for this load */
#include "harness.h"
#include "children.h"

static int stop;

static void *spawn_and_reap(void *unused)
{
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
        reap_and_free(spawn_once(NULL, exiting("0")));
    return unused;
}

int main(void)
{
    pthread_t thread[3];
    for (int i = 0; i < 3; i++)
        thread_start(&thread[i], spawn_and_reap, NULL);

    for (int i = 0; i < 100; i++) {
        pid_t copy = fork();
        CHECK(copy >= 0);
        if (copy == 0) {
            alarm(30); /* a deadlocked copy dies of it and is seen */
            if (ps_live_count() != 0 || ps_signal_all(SIGKILL) != PS_OK || ps_kill_and_reap_all(1000, NULL) != PS_OK)
                _exit(1);
            /* only calls that need no allocation: other threads' malloc locks are the libc's matter */
            _exit(0);
        }
        CHECK(wait_for(copy) == 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    CHECK(ps_live_count() == 0 && has_no_child());
    return 0;
}
