/* No inotify is to be had (the user's instances or watches are used up, a filter refuses it): who waits looks by the clock, and has the lock. */
/* covers: RP-11, C13-2 */
/* variants: none */
#include "locks.h"

static long refused_call;
static int refused_errno;

static void waiter(void)
{
    refuse_call(refused_call, 0, 0, refused_errno);
    ps_spawn_lock *lock = begin_at(lock_path, -1);
    CHECK(nothing_told(lock));
    arrive(1);
    CHECK_INT(told(lock).kind, PS_SPAWN_LOCK_ACQUIRED);
    is_ours(lock);
    ps_spawn_lock_release(lock);
}

static void blocking_waiter(void)
{
    refuse_call(refused_call, 0, 0, refused_errno);
    ps_spawn_lock *lock = lock_at(lock_path, -1);
    is_ours(lock);
    ps_spawn_lock_release(lock);
}

int main(void)
{
    const struct { long call; int failure; } ways[] = {
        {SYS_inotify_init1, EMFILE}, {SYS_inotify_init1, ENOSYS}, {SYS_inotify_add_watch, ENOSPC}, {SYS_inotify_add_watch, EPERM},
        {SYS_utimensat, EPERM}, /* the word at the release */
    };
    locks_begin();
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        refused_call = ways[i].call;
        refused_errno = ways[i].failure;
        arrive(0);
        ps_spawn_lock *held = lock_at(lock_path, 0);
        pid_t one = forked(waiter), other = forked(blocking_waiter);
        await(1);
        CHECK(wait_until(waits(other), 20000));
        ps_spawn_lock_release(held);
        ended_well(one);
        ended_well(other);
    }
    locks_end();
    return 0;
}
