/* What has the name of the lock file and is none, or may be another's file, is refused, typed, and untouched: links, fifos, sockets, devices,
   directories, files with two names, files of other users. Root's own and this user's are right. */
/* covers: RP-11, C13-2, LAW-17 */
/* as-root */
#include "locks.h"

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static void is_refused(const char *why)
{
    ps_error *error = refused_at(lock_path, PS_ERR_PERMISSION);
    CHECK_INT(ps_error_errno(error), EPERM);
    CHECK_STR(ps_error_step(error), "open");
    if (!strstr(ps_error_message(error), why) || !strstr(ps_error_message(error), lock_path))
        harness_fail(__FILE__, __LINE__, "it does not say \"%s\" of it: %s", why, ps_error_message(error));
    ps_error_free(error);
    ps_spawn_lock *lock = NULL;
    CHECK_STATUS(ps_spawn_lock_begin(lock_path, -1, &lock, NULL), PS_ERR_PERMISSION); /* no time mends it */
    CHECK(lock == NULL);
}

static void kinds(void)
{
    char other[192];
    snprintf(other, sizeof other, "%s/other", lock_home);
    write_file(other, "precious", 0600);
    CHECK(symlink("other", lock_path) == 0);
    is_refused("no regular file");
    CHECK(content_is(other, "precious") && unlink(lock_path) == 0);
    CHECK(symlink("nowhere", lock_path) == 0);
    is_refused("no regular file");
    CHECK(entries(lock_home) == 2 && unlink(lock_path) == 0);
    CHECK(link(other, lock_path) == 0);
    is_refused("2 names");
    CHECK(content_is(other, "precious") && unlink(lock_path) == 0 && unlink(other) == 0);
    CHECK(mkfifo(lock_path, 0600) == 0);
    is_refused("no regular file");
    CHECK(unlink(lock_path) == 0 && mkdir(lock_path, 0700) == 0);
    is_refused("no regular file");
    CHECK(rmdir(lock_path) == 0);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strcpy(name.sun_path, lock_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(fd, (struct sockaddr *)&name, sizeof name) == 0);
    is_refused("no regular file");
    close(fd);
    CHECK(unlink(lock_path) == 0);
    if (mknod(lock_path, S_IFCHR | 0600, makedev(1, 3)) == 0) {
        is_refused("no regular file");
        CHECK(unlink(lock_path) == 0);
    }
}

enum { USER = 54321, OTHER = 54322 };

static void as_user(void)
{
    CHECK(setresgid(USER, USER, USER) == 0 && setresuid(USER, USER, USER) == 0);
}

static void user_refused(void) { as_user(); is_refused("user 54322"); }
static void user_takes(void) { as_user(); is_free(lock_path); }
static void user_may_not(void)
{
    as_user();
    ps_error *error = refused_at(lock_path, PS_ERR_PERMISSION);
    CHECK_INT(ps_error_errno(error), EACCES);
    ps_error_free(error);
}

static void owners(void)
{
    /* A directory for all: whoever comes first could hold it for ever. */
    CHECK(chmod(lock_home, 01777) == 0);
    write_file(lock_path, "", 0666);
    CHECK(chown(lock_path, OTHER, OTHER) == 0);
    is_refused("user 54322");
    ended_well(forked(user_refused));
    CHECK(chown(lock_path, USER, USER) == 0);
    is_refused("user 54321"); /* root does not trust it, either */
    ended_well(forked(user_takes));
    CHECK(chown(lock_path, 0, 0) == 0);
    ended_well(forked(user_takes));
    is_free(lock_path);
    CHECK(chmod(lock_path, 0600) == 0);
    ended_well(forked(user_may_not));
    CHECK(unlink(lock_path) == 0);

    /* A directory of the user's own: there root does not keep him out. */
    CHECK(chown(lock_home, USER, USER) == 0 && chmod(lock_home, 0700) == 0);
    is_free(lock_path);
    ended_well(forked(user_takes));
    CHECK(mode_of(lock_path) == 0600);
    is_free(lock_path);
    CHECK(chown(lock_path, OTHER, OTHER) == 0);
    is_refused("user 54322");
}

int main(void)
{
    locks_begin();
    kinds();
    if (geteuid() == 0)
        owners();
    locks_end();
    return 0;
}
