/* The control path has mode 0600 whatever the umask, is never gone from the first generation to the last, and goes with
   the last; the lock file stays, and is locked all the time. What a crash has left over is no obstacle. */
/* covers: B5, B13, S4, S6, D1.6 */
#include "harness.h"
#include "handoff.h"

#include <sys/file.h>

static bool locked(void)
{
    int fd = open(stage.lock, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    bool free_now = flock(fd, LOCK_EX | LOCK_NB) == 0;
    close(fd);
    return !free_now;
}

static void check_path(void)
{
    struct stat st;
    CHECK(lstat(stage.path, &st) == 0 && S_ISSOCK(st.st_mode));
    CHECK_INT(st.st_mode & 07777, 0600);
    CHECK_INT(st.st_uid, geteuid());
    CHECK(lstat(stage.lock, &st) == 0 && S_ISREG(st.st_mode));
    CHECK_INT(st.st_mode & 0777, 0600);
    CHECK(locked());
    int fd = guest();
    CHECK(fd >= 0);
    close(fd);
}

int main(void)
{
    stage_begin();
    stage.probation = 50;
    umask(0);
    party *o = first("old");
    check_path();
    struct stat st, again;
    int held = open(stage.path, O_PATH | O_NOFOLLOW | O_CLOEXEC); /* so that no other file gets its number */
    CHECK(held >= 0 && fstat(held, &st) == 0);
    for (int spawned = 1; spawned >= 0; spawned--) {
        party *n = successor(o, spawned, 20000);
        for (enum phase at = MET; at < SETTLED; at++) {
            bring(o, n, at, at + 1);
            check_path();
        }
        leave(o);
        check_path();
        o = n;
    }
    CHECK(lstat(stage.path, &again) == 0 && again.st_ino == st.st_ino); /* never bound again */
    close(held);

    crash(o);
    gone(o);
    CHECK(exists(stage.path) && !locked());
    umask(077);
    o = first("after a crash");
    check_path();
    CHECK_INT(ask_number(o, "generation"), 4);
    leave_in_order(o);
    CHECK(!exists(stage.path) && exists(stage.lock) && !locked());

    /* another file is somebody's, and is left alone */
    write_file(stage.path, "something else", 0600);
    o = start("over a file");
    ask_for(o, PS_ERR_INVALID_ARGUMENT, "new %s", stage.path);
    CHECK(exists(stage.path) && !locked());
    stage_end();
    return 0;
}
