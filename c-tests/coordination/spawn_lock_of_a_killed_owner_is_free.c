/* The owner is killed: the kernel ends its lock, and those who wait have it one after the other, by waiting and by an event loop. */
/* covers: RP-11, C13-2 */
/* variants: few */
#include "locks.h"

static void owner(void)
{
    lock_at(lock_path, 0);
    arrive(1);
    stay();
}

static void waiter(void)
{
    ps_spawn_lock *lock = lock_at(lock_path, -1);
    is_ours(lock);
    alone();
    ps_spawn_lock_release(lock);
}

int main(void)
{
    locks_begin();
    pid_t holds = forked(owner);
    await(1);
    pid_t waiting = forked(waiter);
    CHECK(wait_until(waits(waiting), 20000));
    ps_spawn_lock *here = begin_at(lock_path, -1);
    CHECK(nothing_told(here));
    CHECK_STATUS(ps_spawn_lock_check(here, NULL), PS_PENDING);
    killed(holds);
    CHECK_INT(told(here).kind, PS_SPAWN_LOCK_ACQUIRED);
    is_ours(here);
    alone();
    ps_spawn_lock_release(here);
    ended_well(waiting);
    CHECK_INT(atomic_load(&meeting->broken), 0);

    /* Killed while it waits: nobody is the worse for it. */
    here = lock_at(lock_path, 0);
    waiting = forked(waiter);
    CHECK(wait_until(waits(waiting), 20000));
    killed(waiting);
    is_ours(here);
    ps_spawn_lock_release(here);
    is_free(lock_path);
    locks_end();
    return 0;
}
