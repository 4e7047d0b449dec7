/* As root: the process is another user's, with its name, home and shell, and a number without an entry is a user as well. A directory that keeps this
   user out is named, at whatever level it stands. */
/* covers: PA-18, PA-20, PA-43, PA-45, PA-47, P-b7, D-16 */
/* as-root */
/* variants: few */
#include "setup.h"

static void who(const char *user, const char *group, const char *says_so)
{
    ps_command *command = looking("cd $PASSENGER_SPAWN_WORK_DIR || exit; id; echo $USER $LOGNAME $HOME $SHELL; cat envdump/user_info");
    say_argument(command, "user", user);
    say_argument(command, "group", group);
    char *said = said_when_ready(command);
    CHECK_STR(said, says_so);
    free(said);
    ps_command_free(command);
}

int main(void)
{
    char path[3][96], part[400];
    if (geteuid() != 0)
        SKIP("another user takes root");
    warm_up_direct();
    CHECK(chmod(apps_dir(), 0755) == 0);
    leak_guard guard = leak_guard_begin(); /* before the first: what is left of one may be held a moment longer */
    who("nobody", "nogroup",
        "uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)\nnobody nobody /nonexistent /usr/sbin/nologin\n"
        "uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)\n");
    who("54321", "54322", "uid=54321 gid=54322 groups=54322\n54321 54321 / /bin/sh\nuid=54321 gid=54322 groups=54322\n");

    snprintf(path[0], sizeof path[0], "%s.1", apps_dir());
    snprintf(path[1], sizeof path[1], "%s.1/2", apps_dir());
    snprintf(path[2], sizeof path[2], "%s.1/2/3", apps_dir());
    for (int level = 0; level < 3; level++)
        CHECK(mkdir(path[level], 0755) == 0);
    for (int level = 0; level < 3; level++) {
        ps_command *command = looking("true");
        say_argument(command, "app_root", path[2]);
        say_argument(command, "user", "nobody");
        say_argument(command, "group", "nogroup");
        CHECK(chmod(path[level], 0700) == 0);
        snprintf(part, sizeof part, "'%s' is inaccessible to user 'nobody'", path[level]);
        failed_at(command, PS_ERR_PERMISSION, "SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL", part);
        failed_at(command, PS_ERR_PERMISSION, "SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL", "must enter its directory");
        CHECK(chmod(path[level], 0755) == 0);
        ps_command_free(command);
    }
    leak_guard_end(&guard);
    NOTHING_IS_LEFT();
    for (int level = 2; level >= 0; level--)
        CHECK(rmdir(path[level]) == 0);
    return 0;
}
