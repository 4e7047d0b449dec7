/* A disk without room for the file, one with room for the file and none for what is in it, one that is read-only: typed, with errno and step; what
   can be locked is locked, for it needs no content. */
/* covers: RP-11, C13-2 */
/* as-root */
/* variants: none */
#include "locks.h"

static void fill(const char *dir, bool with_names)
{
    static char block[65536];
    char name[32];
    int fd = open(in_dir(dir, "filler"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    while (write(fd, block, sizeof block) > 0)
        ;
    CHECK_INT(errno, ENOSPC);
    while (write(fd, block, 1) > 0)
        ;
    close(fd);
    for (int i = 0; with_names && i < 64; i++) {
        snprintf(name, sizeof name, "filler-%d", i);
        fd = open(in_dir(dir, name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0)
            return;
        close(fd);
    }
}

static void cannot(const char *path, int expected)
{
    ps_error *error = refused_at(path, PS_ERR_SYSTEM);
    CHECK_INT(ps_error_errno(error), expected);
    CHECK_STR(ps_error_step(error), "open");
    ps_error_free(error);
}

static void in_its_own_mounts(void)
{
    own_mounts();
    char dir[64], path[96];
    strcpy(dir, small_disk("size=128k,nr_inodes=8,mode=0700"));
    snprintf(path, sizeof path, "%s/lock", dir);
    fill(dir, false);
    ps_spawn_lock *lock = lock_at(path, 0);
    CHECK(content_is(path, ""));
    is_ours(lock);
    is_locked(path);
    ps_spawn_lock *waiting = begin_at(path, -1);
    CHECK(nothing_told(waiting));
    ps_spawn_lock_release(lock);
    CHECK_INT(told(waiting).kind, PS_SPAWN_LOCK_ACQUIRED);
    ps_spawn_lock_release(waiting);
    CHECK(unlink(path) == 0);
    fill(dir, true);
    cannot(path, ENOSPC);
    CHECK(!exists(path) && unlink(in_dir(dir, "filler")) == 0);
    is_free(path);
    CHECK(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
    cannot(path, EROFS);
    cannot(in_dir(dir, "other"), EROFS);
    CHECK(umount(dir) == 0 && rmdir(dir) == 0);
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root for a mount namespace");
    in_forked_process(in_its_own_mounts);
    return 0;
}
