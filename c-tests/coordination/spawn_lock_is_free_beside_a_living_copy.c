/* A copy of the holder lives on and never executes anything: the lock is free when its taker releases it, and who waits for it hears of that
   (the copy has the descriptor open, so its close is no event). Where the copy gives its descriptors back, also when the taker is killed. */
/* covers: RP-11, C13-2, CO-neon-1814 */
/* variants: few */
#include "locks.h"

static ps_spawn_lock *held;

static void copy(void)
{
    arrive(1);
    stay();
}

static void waiter(void)
{
    ps_spawn_lock *lock = lock_at(lock_path, -1);
    is_ours(lock);
    ps_spawn_lock_release(lock);
}

/* Waits for the lock; its watch alone says when: the clock is never asked in so short a time. */
static void watcher(void)
{
    int32_t fd = -1;
    ps_spawn_lock *lock = begin_at(lock_path, -1);
    CHECK(nothing_told(lock));
    CHECK_STATUS(ps_spawn_lock_fd(lock, &fd, NULL), PS_OK);
    arrive(2);
    CHECK_INT(told(lock).kind, PS_SPAWN_LOCK_ACQUIRED);
    ps_spawn_lock_release(lock);
}

static void taker_with_a_copy(void)
{
    held = lock_at(lock_path, 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        ps_spawn_lock_release(held);
        arrive(1);
        stay();
    }
    atomic_store(&meeting->done, pid);
    stay();
}

int main(void)
{
    locks_begin();
    held = lock_at(lock_path, 0);
    pid_t living = forked(copy);
    await(1);
    pid_t waiting = forked(waiter), watching = forked(watcher);
    await(2);
    CHECK(wait_until(waits(waiting), 20000));
    ps_spawn_lock_release(held);
    ended_well(waiting);
    ended_well(watching);
    is_free(lock_path);
    CHECK(!is_dead(living));
    killed(living);

    arrive(0);
    pid_t taker = forked(taker_with_a_copy);
    await(1);
    CHECK(wait_until(atomic_load(&meeting->done) > 0, 20000));
    is_locked(lock_path);
    killed(taker);
    is_free(lock_path);
    CHECK(kill(atomic_load(&meeting->done), SIGKILL) == 0);
    locks_end();
    return 0;
}
