/* The holder asks whether it still holds what the path names: not after the file was removed, replaced or moved; and not when somebody has
   closed the descriptor or unlocked by a copy of it. What comes back is its own again. */
/* covers: RP-11, C13-2 */
#include "locks.h"

static int lock_fd(void)
{
    char link[64], target[256];
    for (int fd = 3; fd < 256; fd++) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, target, sizeof target - 1);
        if (length > 0 && (target[length] = 0, strcmp(target, lock_path) == 0))
            return fd;
    }
    CHECK(!"the lock has no descriptor");
    return -1;
}

static void only_here(void) { is_locked(lock_path); }

static void another_has_it(void)
{
    ps_spawn_lock *lock = lock_at(lock_path, 0);
    is_ours(lock);
    arrive(1);
    CHECK(wait_until(atomic_load(&meeting->go), 20000));
    is_ours(lock);
    ps_spawn_lock_release(lock);
}

int main(void)
{
    char other[192];
    locks_begin();
    snprintf(other, sizeof other, "%s/other", lock_home);
    ps_spawn_lock *held = lock_at(lock_path, 0);
    is_ours(held);

    CHECK(rename(lock_path, other) == 0);
    is_lost(held);
    write_file(lock_path, "", 0600);
    is_lost(held);
    CHECK(rename(other, lock_path) == 0);
    is_ours(held);
    CHECK(unlink(lock_path) == 0);
    is_lost(held);
    ps_spawn_lock_release(held);

    /* Unlocked by a copy: it is locked again, if nobody was faster. */
    held = lock_at(lock_path, 0);
    CHECK(flock(lock_fd(), LOCK_UN) == 0);
    is_ours(held);
    ended_well(forked(only_here));
    CHECK(flock(lock_fd(), LOCK_UN) == 0);
    pid_t pid = forked(another_has_it);
    await(1);
    is_lost(held);
    ps_spawn_lock_release(held); /* not the other's */
    is_locked(lock_path);
    atomic_store(&meeting->go, 1);
    ended_well(pid);

    /* Closed by a host that did not know it, and the number is another file's: that one is left alone. */
    held = lock_at(lock_path, 0);
    int number = lock_fd(), file = open(other, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(dup2(file, number) == number && flock(number, LOCK_EX | LOCK_NB) == 0);
    is_lost(held);
    ps_spawn_lock_release(held);
    CHECK(fcntl(number, F_GETFD) >= 0);
    is_locked(other);
    close(file);
    close(number);
    is_free(other);
    is_free(lock_path);
    locks_end();
    return 0;
}
