/* Names and numbers of user and group become the ids of the process, and of everything in its directory; one that there is not is an error that names it,
   and a number needs no entry anywhere. Scenarios 7.4 1 to 3 of the reference. */
/* covers: PA-18, PA-20, PA-21, P-b7, D-16 */
/* variants: few */
/* as-root */
#include "scripted.h"

#include <grp.h>
#include <pwd.h>

static ps_command *as(const char *user, const char *group)
{
    ps_command *command = script("test \"$(find $W ! -user $(id -u) -o ! -group $(id -g))\" = '' || exit 3");
    if (user)
        say_argument(command, "user", user);
    if (group)
        say_argument(command, "group", group);
    return command;
}

static void is(const char *user, const char *group, uid_t uid, gid_t gid)
{
    ps_command *command = as(user, group);
    ps_worker *worker = direct(NULL, command);
    ps_child *child = child_of(worker);
    char path[64];
    struct stat there;
    int32_t pid = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    CHECK(stat(path, &there) == 0);
    CHECK_INT(there.st_uid, uid);
    CHECK_INT(there.st_gid, gid);
    end(worker);
    ps_command_free(command);
}

static void is_unknown(const char *user, const char *group, const char *name)
{
    ps_command *command = as(user, group);
    ps_error *error = fails(NULL, command, PATIENCE_MS, PS_ERR_NOT_FOUND);
    CHECK(strstr(ps_error_message(error), name) != NULL);
    ps_error_free(error);
    ps_command_free(command);
}

int main(void)
{
    is_unknown("no-such-user", NULL, "no-such-user");
    is_unknown(NULL, "no-such-group", "no-such-group");
    if (geteuid() != 0)
        SKIP("only root becomes somebody else");
    warm_up_direct();
    CHECK(chmod(apps_dir(), 0711) == 0);
    const struct passwd *nobody = getpwnam("nobody");
    if (!nobody)
        SKIP("there is no user nobody");
    uid_t uid = nobody->pw_uid;
    gid_t gid = nobody->pw_gid;
    leak_guard guard = leak_guard_begin(); /* before the first: what is left of one may be held a moment longer */
    is("nobody", NULL, uid, gid);
    is("nobody", "12345", uid, 12345);
    is("54321", NULL, 54321, 54321);
    is("54321", "12345", 54321, 12345);
    NOTHING_IS_LEFT();
    leak_guard_end(&guard);
    return 0;
}
