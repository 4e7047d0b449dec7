/* A directory in which this user may not make a file: PS_ERR_PERMISSION; where the file is there already the lock can be taken. A directory that is
   not there: PS_ERR_NOT_FOUND, at once, whatever the time. */
/* covers: RP-11, C13-2 */
#include "locks.h"

static void here(void)
{
    if (geteuid() == 0)
        CHECK(chown(lock_home, 65534, 65534) == 0 && setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
    CHECK(chmod(lock_home, 0500) == 0);
    ps_error *error = refused_at(lock_path, PS_ERR_PERMISSION);
    CHECK_INT(ps_error_errno(error), EACCES);
    CHECK_STR(ps_error_step(error), "open");
    ps_error_free(error);
    CHECK(chmod(lock_home, 0700) == 0);
    write_file(lock_path, "", 0600);
    CHECK(chmod(lock_home, 0500) == 0);
    is_free(lock_path);
    CHECK(chmod(lock_path, 0400) == 0);
    error = refused_at(lock_path, PS_ERR_PERMISSION);
    CHECK_INT(ps_error_errno(error), EACCES);
    ps_error_free(error);
    CHECK(chmod(lock_home, 0700) == 0);
}

int main(void)
{
    char nowhere[192];
    ps_spawn_lock *lock = NULL;
    locks_begin();
    in_forked_process(here);
    snprintf(nowhere, sizeof nowhere, "%s/nowhere/lock", lock_home);
    CHECK_STATUS(ps_spawn_lock_acquire(nowhere, -1, &lock, NULL), PS_ERR_NOT_FOUND);
    CHECK_STATUS(ps_spawn_lock_begin(nowhere, -1, &lock, NULL), PS_ERR_NOT_FOUND);
    CHECK(chmod(lock_path, 0600) == 0);
    snprintf(nowhere, sizeof nowhere, "%s/lock", lock_path); /* a file on the way */
    CHECK_STATUS(ps_spawn_lock_acquire(nowhere, -1, &lock, NULL), PS_ERR_NOT_FOUND);
    CHECK(lock == NULL);
    locks_end();
    return 0;
}
