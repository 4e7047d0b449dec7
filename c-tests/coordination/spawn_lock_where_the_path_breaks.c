/* The path cannot be looked at in the moment in which the lock is had: that is an error, and the lock is nobody's, also where a copy of this process
   has its file open. */
/* covers: C13-2, RP-11 */
#include "locks.h"

int main(void)
{
    char here[96], there[96], path[128];
    locks_begin();
    snprintf(here, sizeof here, "%s/here", lock_home);
    snprintf(there, sizeof there, "%s/there", lock_home);
    snprintf(path, sizeof path, "%s/lock", here);
    CHECK_INT(mkdir(here, 0700), 0);
    ps_spawn_lock *held = lock_at(path, 0), *waits = begin_at(path, -1);
    CHECK(nothing_told(waits));
    pid_t copy = fork();
    CHECK(copy >= 0);
    if (copy == 0)
        stay();
    /* A link to itself: ELOOP. */
    CHECK_INT(rename(here, there), 0);
    CHECK_INT(symlink("here", here), 0);
    ps_spawn_lock_release(held);
    ps_spawn_lock_event event = told(waits);
    CHECK_INT(event.kind, PS_SPAWN_LOCK_FAILED);
    CHECK_INT(event.status_errno, ELOOP);
    CHECK_INT(unlink(here), 0);
    CHECK_INT(rename(there, here), 0);
    is_free(path);
    ps_spawn_lock_release(waits);
    is_free(path);
    killed(copy);
    CHECK_INT(unlink(path), 0);
    CHECK_INT(rmdir(here), 0);
    locks_end();
    return 0;
}
