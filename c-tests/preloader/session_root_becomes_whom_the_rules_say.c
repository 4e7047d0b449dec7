/* As root, with `default_user`: who an application runs as, by the user and the group that are asked for and by the owner of its startup file. The 36 rules
   of the reference (scenarios 7.8 1 to 36), each in its row; it is the link's owner that counts where the file is one, and nobody becomes root. */
/* covers: PA-49, PA-18 */
/* variants: none */
/* as-root */
/* timeout: 120 */
#include "direct.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#define UNKNOWN 54321

static uid_t uid_of(const char *name)
{
    struct passwd *entry = getpwnam(name);
    return entry ? entry->pw_uid : (uid_t)-1;
}

static gid_t primary(const char *name)
{
    struct passwd *entry = getpwnam(name);
    return entry ? entry->pw_gid : (gid_t)-1;
}

static gid_t gid_of(const char *name)
{
    struct group *entry = getgrnam(name);
    return entry ? entry->gr_gid : (gid_t)-1;
}

static char root[80], file[128], link_path[128];

/* A startup file of that owner, or a link of it to one that is another's. */
static const char *startup(bool is_link, uid_t uid, gid_t gid)
{
    unlink(file), unlink(link_path);
    write_file(file, "", 0644);
    CHECK(chown(file, is_link ? 0 : uid, is_link ? 0 : gid) == 0);
    CHECK(symlink(file, link_path) == 0 && lchown(link_path, uid, gid) == 0);
    return is_link ? link_path : file;
}

static ps_command *wishing(const char *user, const char *group, const char *startup_file, const char *default_user, const char *default_group)
{
    ps_command *command = serving();
    say_argument(command, "app_root", root);
    say_argument(command, "startup_file", startup_file);
    say_argument(command, "starts_using_wrapper", "false");
    say_argument(command, "user", user);
    say_argument(command, "group", group);
    say_argument(command, "default_user", default_user);
    say_argument(command, "default_group", default_group);
    return command;
}

static void becomes(uid_t uid, gid_t gid, const char *user, const char *group, const char *startup_file)
{
    ps_command *command = wishing(user, group, startup_file, "man", "tty");
    ps_worker *worker = direct(NULL, command);
    char path[32];
    struct stat facts;
    snprintf(path, sizeof path, "/proc/%d", (int)pid_of(child_of(worker)));
    CHECK(stat(path, &facts) == 0);
    if (facts.st_uid != uid || facts.st_gid != gid)
        harness_fail(__FILE__, __LINE__, "user %s, group %s: it is %u:%u, and should be %u:%u", user ? user : "-", group ? group : "-", facts.st_uid,
                     facts.st_gid, uid, gid);
    end(worker);
    ps_command_free(command);
}

static void is_none(const char *user, const char *group, const char *default_user, const char *default_group, const char *named)
{
    ps_command *command = wishing(user, group, file, default_user, default_group);
    ps_error *error = fails(NULL, command, PATIENCE_MS, PS_ERR_NOT_FOUND);
    CHECK(says(error, named));
    ps_error_free(error);
    ps_command_free(command);
}

int main(void)
{
    if (geteuid() != 0) {
        printf("skipped: only root has other users\n");
        return 77;
    }
    for (const char *name = "games\0man\0daemon\0"; *name; name += strlen(name) + 1)
        if (uid_of(name) == (uid_t)-1 || gid_of("adm") == (gid_t)-1 || gid_of("tty") == (gid_t)-1 || gid_of("news") == (gid_t)-1) {
            printf("skipped: the usual users of a system are not here\n");
            return 77;
        }
    warm_up_direct();
    snprintf(root, sizeof root, "%s", temp_dir());
    CHECK(chmod(root, 0755) == 0 && chmod(apps_dir(), 0755) == 0);
    snprintf(file, sizeof file, "%s/file", root);
    snprintf(link_path, sizeof link_path, "%s/link", root);
    uid_t dflt = uid_of("man"), games = uid_of("games"), daemon_user = uid_of("daemon");
    gid_t adm = gid_of("adm"), tty = gid_of("tty"), news = gid_of("news");
    const char *of_file = "!STARTUP_FILE!", *absent = "no-such-user-here";

    for (int link = 0; link < 2; link++) { /* 4, 5; 12, 13; 18, 19; 25, 26; 32, 33; 22 */
        const char *path = startup(link, daemon_user, news);
        becomes(dflt, news, "root", of_file, path);
        becomes(games, news, "games", of_file, path);
        becomes(dflt, news, absent, of_file, path);
        becomes(daemon_user, news, NULL, of_file, path);
        becomes(daemon_user, primary("daemon"), NULL, NULL, path); /* 21, 22, 27 */
        becomes(dflt, news, NULL, of_file, startup(link, UNKNOWN, news));
    }
    const char *path = startup(false, daemon_user, news);
    becomes(dflt, primary("man"), "root", NULL, path); /* 1, 6 */
    becomes(dflt, adm, "root", "adm", path);           /* 2 */
    becomes(dflt, tty, "root", "root", path);          /* 3 */
    becomes(games, primary("games"), "games", NULL, path); /* 7, 14 */
    becomes(games, adm, "games", "adm", path);         /* 8, 9 */
    becomes(games, tty, "games", "root", path);        /* 10, 11 */
    becomes(dflt, primary("man"), absent, NULL, path); /* 15, 20 */
    becomes(dflt, adm, absent, "adm", path);           /* 16 */
    becomes(dflt, tty, absent, "root", path);          /* 17 */
    becomes(daemon_user, adm, NULL, "adm", path);      /* 23 */
    becomes(daemon_user, tty, NULL, "root", path);     /* 24 */
    path = startup(false, UNKNOWN, news);
    becomes(dflt, primary("man"), NULL, NULL, path);   /* 28, 34 */
    becomes(dflt, adm, NULL, "adm", path);             /* 29 */
    becomes(dflt, tty, NULL, "root", path);            /* 30 */
    becomes(dflt, tty, NULL, of_file, startup(false, UNKNOWN, UNKNOWN)); /* 31 */
    is_none("root", NULL, absent, "tty", absent);      /* 35 */
    is_none("games", "root", "man", absent, absent);   /* 36 */
    unlink(file), unlink(link_path);
    CHECK(rmdir(root) == 0);
    NOTHING_IS_LEFT();
    return 0;
}
