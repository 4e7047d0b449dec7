/* What is in the lock file is never asked who holds it: an empty file, the pid of a process that lives and has nothing to do with it, of one that
   is dead, anything at all. It is written only over nothing or a number, never truncated, and what it says is told for display. */
/* covers: RP-11, C13-2, CO-paseo-4803, CO-paseo-1305, CO-stellar-core-883 */
#include "locks.h"

static void holder(void)
{
    lock_at(lock_path, 0);
    arrive(1);
    stay();
}

int main(void)
{
    char parent[32], own[32], large[5000];
    locks_begin();
    snprintf(parent, sizeof parent, "%d\n", (int)getppid());
    snprintf(own, sizeof own, "%-10d\n", (int)getpid());
    memset(large, '7', sizeof large - 1);
    large[sizeof large - 1] = 0;
    const char *const numbers[] = {"", parent, "2147483647\n", "1", "4194304   \n"};
    const char *const others[] = {"root:x:0:0:root:/root:/bin/sh\n", "-1\n", "0\n", "12 13\n", "\xff\xfe", "{\"pid\": 1}", large, "\n1\n"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        write_file(lock_path, numbers[i], 0640);
        ps_spawn_lock *lock = lock_at(lock_path, 0);
        CHECK(content_is(lock_path, own));
        is_locked(lock_path);
        ps_spawn_lock_release(lock);
        CHECK(exists(lock_path) && content_is(lock_path, own));
        CHECK((mode_of(lock_path) & 0777) == 0640); /* as it was */
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        write_file(lock_path, others[i], 0600);
        ps_spawn_lock *lock = lock_at(lock_path, 0);
        is_ours(lock);
        ps_error *error = refused_at(lock_path, PS_ERR_LOCKED);
        CHECK(!strstr(ps_error_message(error), "as the file says"));
        ps_error_free(error);
        ps_spawn_lock_release(lock);
        CHECK(content_is(lock_path, others[i]));
        is_free(lock_path);
    }
    CHECK(unlink(lock_path) == 0);

    /* Told for display. */
    pid_t pid = forked(holder);
    await(1);
    char said[32];
    snprintf(said, sizeof said, "%d as the file says", (int)pid);
    ps_error *error = refused_at(lock_path, PS_ERR_LOCKED);
    CHECK(strstr(ps_error_message(error), said) && strstr(ps_error_message(error), lock_path));
    ps_error_free(error);
    ps_spawn_lock *lock = begin_at(lock_path, 0);
    ps_spawn_lock_event event = told(lock);
    CHECK(event.kind == PS_SPAWN_LOCK_FAILED && event.status == PS_ERR_LOCKED && event.pid == pid && event.reserved == 0);
    ps_spawn_lock_release(lock);
    CHECK((mode_of(lock_path) & 0777) == 0600);

    /* Emptied beside its holder: it holds the lock. And what a dead one has left holds nobody up. */
    CHECK(truncate(lock_path, 0) == 0);
    is_locked(lock_path);
    write_file(lock_path, own, 0600);
    is_locked(lock_path);
    killed(pid);
    is_free(lock_path);
    locks_end();
    return 0;
}
