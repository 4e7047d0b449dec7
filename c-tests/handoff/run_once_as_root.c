/* A server that is run once as root, and from then on as its own user: what root has made in that user's directory, or has left there before,
   belongs to the user, who starts as if nothing had been; and root is let in again. Where the directory is not the user's alone, the message says
   whose the file is, and what helps. Nothing of root's is given away by a further name of it. */
/* covers: F36, LAW-17 */
/* as-root */
/* variants: few */
#include "harness.h"
#include "handoff.h"

enum { USER = 54321 };

static uid_t owner_of(const char *path)
{
    struct stat st;
    CHECK(lstat(path, &st) == 0);
    return st.st_uid;
}

static void belongs_to(uid_t user)
{
    struct stat st;
    CHECK_INT(owner_of(stage.lock), user);
    CHECK_INT(owner_of(stage.path), user);
    CHECK(lstat(stage.path, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 07777) == 0600);
    CHECK(lstat(stage.lock, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0600);
}

static void clean(void)
{
    unlink(stage.path);
    CHECK(unlink(stage.lock) == 0);
}

static party *as_user(const char *name)
{
    party *p = start(name);
    ask(p, "user %d", USER);
    return p;
}

static void user_serves(void)
{
    party *p = as_user("as the user");
    enter(p, PS_HANDOFF_FIRST);
    expect(p, LIVE);
    ask(p, "live");
    belongs_to(USER);
    leave_in_order(p);
    CHECK(!exists(stage.path));
}

static void refused(const char *call, const char *file)
{
    char whose[64];
    party *p = as_user("as the user");
    const char *said = ask_for(p, PS_ERR_PERMISSION, "new %s", stage.path);
    snprintf(whose, sizeof whose, "user 0, and this process is user %d", USER);
    if (!strstr(said, whose) || !strstr(said, file) || !strstr(said, "chown") || !strstr(said, call))
        harness_fail(__FILE__, __LINE__, "it does not say what to do: %s", said);
    leave(p);
}

int main(void)
{
    char precious[128];
    if (geteuid() != 0)
        SKIP("needs root");
    stage_begin();
    stage.probation = 20;
    CHECK(chmod(stage.dir, 0755) == 0 && chown(stage.dir, USER, 0) == 0);

    for (int crashes = 0; crashes < 2; crashes++) {
        party *root = first("once as root");
        belongs_to(USER);
        if (crashes) {
            crash(root);
            gone(root);
        } else
            leave_in_order(root);
        user_serves();
        root = first("and again"); /* over files of the user's */
        leave_in_order(root);
        clean();
    }

    /* left by an older version: root's. The next start as root gives it away. */
    write_file(stage.lock, "", 0600);
    refused("open", stage.lock);
    party *root = first("as root");
    belongs_to(USER);
    leave_in_order(root);
    user_serves();
    clean();

    /* a further name of it may be any file of root's */
    snprintf(precious, sizeof precious, "%s/precious", stage.dir);
    write_file(precious, "", 0600);
    CHECK(link(precious, stage.lock) == 0);
    root = start("as root");
    ask_for(root, PS_ERR_PERMISSION, "new %s", stage.path);
    leave(root);
    CHECK_INT(owner_of(precious), 0);
    CHECK(unlink(precious) == 0 && unlink(stage.lock) == 0);

    /* others may write there: whose server it is, nobody knows */
    CHECK(chmod(stage.dir, 01777) == 0);
    root = first("as root");
    belongs_to(0);
    crash(root);
    gone(root);
    refused("open", stage.lock);
    CHECK(chown(stage.lock, USER, 0) == 0);
    refused("connect", stage.path);
    clean();
    stage_end();
    return 0;
}
