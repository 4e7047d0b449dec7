/* Two handles of one path exclude each other in one process as well; a second release is harmless, as is that of NULL. Threads as processes. */
/* covers: RP-11, C13-2 */
#include "locks.h"

enum { THREADS = 8, TURNS = 30 };

static void *one(void *unused)
{
    for (int turn = 0; turn < TURNS; turn++) {
        ps_spawn_lock *lock = lock_at(lock_path, 5 * PATIENCE_MS);
        alone();
        is_ours(lock);
        ps_spawn_lock_release(lock);
    }
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS];
    locks_begin();
    ps_spawn_lock *first = lock_at(lock_path, 0);
    ps_spawn_lock *waiting = begin_at(lock_path, -1);
    for (int i = 0; i < THREADS; i++)
        thread_start(&threads[i], one, NULL);
    is_locked(lock_path);
    CHECK(nothing_told(waiting));
    ps_spawn_lock_release(first);
    CHECK_INT(told(waiting).kind, PS_SPAWN_LOCK_ACQUIRED);
    ps_spawn_lock_release(first); /* a second time: not the other's */
    ps_spawn_lock_release(NULL);
    is_ours(waiting);
    is_locked(lock_path);
    alone();
    ps_spawn_lock_release(waiting);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK_INT(atomic_load(&meeting->broken), 0);
    is_free(lock_path);
    locks_end();
    return 0;
}
