/* A file system that has no locks (ENOLCK, as NFS without its daemon): PS_ERR_SYSTEM at once, with errno and step, and nothing is left open. */
/* covers: RP-11, C13-2 */
/* variants: none */
#include "locks.h"

static void without_locks(void)
{
    refuse_call(SYS_flock, 0, 0, ENOLCK);
    int before = count_fds();
    for (int64_t timeout = -1; timeout <= 0; timeout++) {
        ps_spawn_lock *lock = NULL;
        ps_error *error = NULL;
        CHECK_ERROR(ps_spawn_lock_acquire(lock_path, timeout, &lock, &error), PS_ERR_SYSTEM, &error);
        CHECK_INT(ps_error_errno(error), ENOLCK);
        CHECK_STR(ps_error_step(error), "flock");
        ps_error_free(error);
        CHECK_STATUS(ps_spawn_lock_begin(lock_path, timeout, &lock, NULL), PS_ERR_SYSTEM);
        CHECK(lock == NULL);
    }
    CHECK_INT(count_fds(), before);
}

int main(void)
{
    locks_begin();
    in_forked_process(without_locks);
    is_free(lock_path);
    locks_end();
    return 0;
}
