/* Faults while locks are taken, waited for and released. Whatever fails, a call works or is refused and typed; what was told to be held is held,
   what was released is free, and nothing is left open. */
/* variants: none */
/* share: 11 */
#include "scenario.h"
#include "locks.h"

static bool got(ps_spawn_lock *lock)
{
    ps_error *error = NULL;
    for (int turn = 0; turn < 40; turn++) { /* a wait may end early */
        ps_spawn_lock_event event = {.size = sizeof event};
        ps_status status = ps_spawn_lock_next_event(lock, 500, &event, &error);
        if (worked(status, &error)) {
            bool explained = event.status == PS_ERR_SYSTEM || event.status == PS_ERR_LIMIT || event.status == PS_ERR_PERMISSION;
            CHECK(event.kind == PS_SPAWN_LOCK_ACQUIRED || (explained && event.status_errno && *getenv("PROCSUP_TEST_FAULT")));
            return event.kind == PS_SPAWN_LOCK_ACQUIRED;
        }
        if (status != PS_PENDING)
            return false;
    }
    return false;
}

/* In the sweep's eyes the same call fails once: a second try tells whether the lock is free. */
static bool free_again(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool free = fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (fd >= 0)
        close(fd);
    return free;
}

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_spawn_lock *held = NULL, *waiting = NULL, *late = NULL;
    ps_command *first = exiting("0"); /* where an error has its place */
    locks_begin();
    scenario_no_child();
    scenario_faults("openat ENOSPC EROFS EDQUOT EIO");
    scenario_faults("flock EIO");
    scenario_faults("inotify_init1 EMFILE ENFILE ENOMEM ENOSYS EPERM");
    scenario_faults("inotify_add_watch ENOSPC ENOMEM EACCES EPERM");
    scenario_faults("utimensat EPERM EIO EROFS ENOSYS");
    scenario_faults("lstat EACCES EIO ENOMEM");
    scenario_faults("newfstatat EACCES EIO ENOMEM");

    scenario_begin(argc, argv);
    bool has = worked(ps_spawn_lock_acquire(lock_path, 0, &held, &error), &error);
    bool waits = has && worked(ps_spawn_lock_begin(lock_path, -1, &waiting, &error), &error);
    ps_status brief = has ? ps_spawn_lock_acquire(lock_path, 5, &late, &error) : PS_OK;
    bool refused = brief == PS_ERR_LOCKED;
    if (refused) {
        ps_error_free(error);
        error = NULL;
    } else if (has) {
        CHECK(!worked(brief, &error)); /* it is held: no other answer but a failing call */
    }
    if (has)
        worked(ps_spawn_lock_check(held, &error), &error);
    ps_spawn_lock_release(held);
    bool taken = waits && got(waiting);
    if (taken)
        worked(ps_spawn_lock_check(waiting, &error), &error);
    ps_spawn_lock_release(waiting);
    let_watch_rest();
    scenario_end();

    CHECK(!waits || taken || *getenv("PROCSUP_TEST_FAULT"));
    CHECK(late == NULL && free_again(lock_path));
    is_free(lock_path);
    ps_command_free(first);
    locks_end();
    return 0;
}
