/* Who waits has a lock file and a watch, and no other descriptor is to be had: the file is replaced, and he gets the new one. What the watch left
   behind is no reason to fail. */
/* covers: C13-2, RP-11 */
#include "locks.h"

static void waiter(void)
{
    warm_up();
    struct rlimit limit;
    int top = dup(0);
    CHECK(top > 0);
    close(top);
    CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = (rlim_t)top + 2;
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
    arrive(1);
    ps_spawn_lock *lock = lock_at(lock_path, PATIENCE_MS);
    is_ours(lock);
    ps_spawn_lock_release(lock);
}

int main(void)
{
    locks_begin();
    ps_spawn_lock *held = lock_at(lock_path, 0);
    pid_t pid = forked(waiter);
    await(1);
    CHECK(wait_until(waits(pid), 20000));
    CHECK_INT(unlink(lock_path), 0);
    ended_well(pid);
    is_lost(held);
    ps_spawn_lock_release(held);
    locks_end();
    return 0;
}
