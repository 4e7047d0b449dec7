/* Fifty processes take one lock, again and again, by waiting and by an event loop: never are two inside, and each comes to its turns. */
/* covers: RP-11, C13-2 */
/* variants: few */
#include "locks.h"

enum { PROCESSES = 50, TURNS = 6 };

static void one(void)
{
    for (int turn = 0; turn < TURNS; turn++) {
        ps_spawn_lock *lock;
        if ((turn + getpid()) % 2) {
            lock = lock_at(lock_path, 5 * PATIENCE_MS);
        } else {
            lock = begin_at(lock_path, 5 * PATIENCE_MS);
            ps_spawn_lock_event event = {.size = sizeof event};
            ps_error *error = NULL;
            CHECK_OK(ps_spawn_lock_next_event(lock, -1, &event, &error), error);
            CHECK_INT(event.kind, PS_SPAWN_LOCK_ACQUIRED);
        }
        alone();
        is_ours(lock);
        ps_spawn_lock_release(lock);
    }
    atomic_fetch_add(&meeting->done, 1);
}

int main(void)
{
    pid_t all[PROCESSES];
    locks_begin();
    ps_spawn_lock *held = lock_at(lock_path, 0); /* so that they meet */
    for (int i = 0; i < PROCESSES; i++)
        all[i] = forked(one);
    for (int i = 0; i < 5; i++) /* some of them wait by now */
        CHECK(wait_until(waits(all[2 * i]) || waits(all[2 * i + 1]), 20000));
    CHECK_INT(atomic_load(&meeting->done), 0);
    ps_spawn_lock_release(held);
    for (int i = 0; i < PROCESSES; i++)
        ended_well(all[i]);
    CHECK_INT(atomic_load(&meeting->done), PROCESSES);
    CHECK_INT(atomic_load(&meeting->broken), 0);
    is_free(lock_path);
    locks_end();
    return 0;
}
