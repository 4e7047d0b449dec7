/* Who waits follows the path: to the file that has replaced the one that is held, to the one of a directory that was put in the place of the old,
   also where there is none for a while, and behind a link that was turned. The old holder is told when it asks. */
/* covers: RP-11, C13-2 */
/* variants: few */
#include "locks.h"

static char old_path[192];

static void waiter(void)
{
    ps_spawn_lock *lock = lock_at(lock_path, 10 * PATIENCE_MS);
    is_ours(lock);
    arrive(1);
    CHECK(wait_until(atomic_load(&meeting->go), 20000));
    ps_spawn_lock_release(lock);
}

static pid_t waiting(void)
{
    arrive(0);
    atomic_store(&meeting->go, 0);
    pid_t pid = forked(waiter);
    CHECK(wait_until(waits(pid), 20000));
    return pid;
}

static void has_it(pid_t pid, ps_spawn_lock *held)
{
    await(1);
    is_lost(held);
    is_locked(lock_path);
    ps_spawn_lock_release(held);
    is_locked(lock_path); /* it was of another file */
    atomic_store(&meeting->go, 1);
    ended_well(pid);
    is_free(lock_path);
}

int main(void)
{
    char dir[128], moved[128], link[128], moved_lock[256];
    locks_begin();

    /* Removed; replaced by rename; moved away. */
    ps_spawn_lock *held = lock_at(lock_path, 0);
    pid_t pid = waiting();
    CHECK(unlink(lock_path) == 0);
    has_it(pid, held);

    snprintf(old_path, sizeof old_path, "%s/new", lock_home);
    held = lock_at(lock_path, 0);
    pid = waiting();
    write_file(old_path, "", 0600);
    CHECK(rename(old_path, lock_path) == 0);
    has_it(pid, held);

    held = lock_at(lock_path, 0);
    pid = waiting();
    CHECK(rename(lock_path, old_path) == 0);
    has_it(pid, held);
    CHECK(unlink(old_path) == 0 && unlink(lock_path) == 0);

    /* The directory. */
    snprintf(dir, sizeof dir, "%s/dir", lock_home);
    snprintf(moved, sizeof moved, "%s/moved", lock_home);
    snprintf(link, sizeof link, "%s/current", lock_home);
    CHECK(mkdir(dir, 0700) == 0);
    snprintf(lock_path, sizeof lock_path, "%s/lock", dir);
    held = lock_at(lock_path, 0);
    pid = waiting();
    CHECK(rename(dir, moved) == 0);
    CHECK(mkdir(dir, 0700) == 0);
    has_it(pid, held);

    /* It is gone for a while; to who has no time that is said. */
    held = lock_at(lock_path, 0);
    pid = waiting();
    ps_spawn_lock *brief = begin_at(lock_path, 50);
    /* In one step: a file that is removed first, who waits makes anew. */
    snprintf(old_path, sizeof old_path, "%s/gone", lock_home);
    CHECK(rename(dir, old_path) == 0);
    ps_spawn_lock_event event = told(brief);
    CHECK(event.kind == PS_SPAWN_LOCK_FAILED && event.status == PS_ERR_LOCK_REPLACED);
    is_lost(brief); /* the whole error */
    ps_spawn_lock_release(brief);
    ps_error_free(refused_at(lock_path, PS_ERR_NOT_FOUND));
    CHECK(!is_dead(pid));
    CHECK(mkdir(dir, 0700) == 0);
    has_it(pid, held);
    snprintf(moved_lock, sizeof moved_lock, "%s/lock", old_path);
    CHECK(unlink(moved_lock) == 0 && rmdir(old_path) == 0);

    /* A link on the way. */
    CHECK(symlink("dir", link) == 0);
    snprintf(lock_path, sizeof lock_path, "%s/lock", link);
    held = lock_at(lock_path, 0);
    pid = waiting();
    snprintf(old_path, sizeof old_path, "%s/new", lock_home);
    CHECK(symlink("moved", old_path) == 0 && rename(old_path, link) == 0);
    has_it(pid, held);

    snprintf(old_path, sizeof old_path, "%s/lock", dir);
    CHECK(unlink(old_path) == 0);
    snprintf(old_path, sizeof old_path, "%s/lock", moved);
    CHECK(unlink(old_path) == 0);
    locks_end();
    return 0;
}
