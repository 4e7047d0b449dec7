/* A copy of the holder that was forked without an exec ends, or releases the handle that it has inherited: its parent's lock is held on. */
/* covers: RP-11, C13-2, CO-filelock-634, LAW-6 */
/* variants: few */
#include "locks.h"

static ps_spawn_lock *held;
static char fd_link[64];

/* Which descriptor the lock file has here; -1: none. */
static int lock_fd(void)
{
    char target[256];
    for (int fd = 3; fd < 256; fd++) {
        snprintf(fd_link, sizeof fd_link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(fd_link, target, sizeof target - 1);
        if (length > 0 && (target[length] = 0, strcmp(target, lock_path) == 0))
            return fd;
    }
    return -1;
}

static void only_ends(void) { }
static void calls_atexit(void) { exit(0); }

static void releases(void)
{
    CHECK(lock_fd() >= 0);
    CHECK_STATUS(ps_spawn_lock_check(held, NULL), PS_ERR_FORKED);
    ps_spawn_lock_release(held);
    CHECK(lock_fd() == -1); /* closed */
    int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ps_spawn_lock_release(held);
    CHECK(fcntl(other, F_GETFD) >= 0); /* and nothing else */
    CHECK_STATUS(ps_spawn_lock_check(held, NULL), PS_ERR_FORKED);
    is_locked(lock_path);
}

static void makes_its_own(void)
{
    char path[192];
    snprintf(path, sizeof path, "%s/other", lock_home);
    is_locked(lock_path);
    ps_spawn_lock *own = lock_at(path, 0);
    ps_spawn_lock_release(held);
    is_ours(own);
    ps_spawn_lock_release(own);
}

int main(void)
{
    void (*const copies[])(void) = {only_ends, calls_atexit, releases, makes_its_own};
    locks_begin();
    for (int pollable = 0; pollable < 2; pollable++) {
        held = pollable ? begin_at(lock_path, -1) : lock_at(lock_path, 0);
        for (size_t i = 0; i < sizeof copies / sizeof *copies; i++) {
            ended_well(forked(copies[i]));
            is_ours(held);
            is_locked(lock_path);
        }
        if (pollable) { /* its descriptor is its own still */
            CHECK_INT(told(held).kind, PS_SPAWN_LOCK_ACQUIRED);
            CHECK(nothing_told(held));
        }
        ps_spawn_lock_release(held);
        is_free(lock_path);
    }
    locks_end();
    return 0;
}
