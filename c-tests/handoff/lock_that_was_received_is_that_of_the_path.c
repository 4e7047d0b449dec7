/* A cleaner has taken the lock file beside a living generation, or a link in the path was turned, and another process has the lock that lies
   there now: whoever is handed the old one would be a second owner beside that. It looks by itself, whatever the owner has seen: here that one has
   no watch, and everything was in order when the handoff began. It is refused before DRAIN, in words that name the file and what became of it, on
   both sides; and the owner serves on. Also if it happens while the successor loads; but if the owner has died meanwhile, the successor goes on.
   When the file is back, so are handoffs. */
/* covers: F30, LAW-14 */
/* variants: few */
#include "harness.h"
#include "handoff.h"

/* A file that somebody else holds. */
static int held_at(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
    return fd;
}

static void ended(party *p)
{
    if (send(p->fd, "exit 0", 6, MSG_NOSIGNAL) != 6)
        CHECK(errno == EPIPE || errno == ECONNRESET);
    gone(p);
}

/* The successor was never let in; the owner has heard why, and what it has found then. */
static void refused(party *o, party *n, const char *words)
{
    CHECK(!is_offered(n));
    const char *said = n->reply; /* none: its owner has ended it already */
    if (said[0] && (!strstr(said, "PS_ERR_LOCK_REPLACED") || !strstr(said, words) || !strstr(said, stage.lock)))
        harness_fail(__FILE__, __LINE__, "it says neither %s nor where: %s", words, said);
    aborted(o, PS_ERR_LOCK_REPLACED);
    path_changed(o, PS_ERR_LOCK_REPLACED);
    ended(n);
    quiet(o);
    served_by(o);
}

int main(void)
{
    char kept[128], there[128], link_name[128];
    stage_begin();
    stage.probation = 20;
    snprintf(kept, sizeof kept, "%s/kept", stage.dir);

    /* moved away, and another in its place; then it is back */
    party *o = first_without_a_watch("old");
    if (!o)
        SKIP("no seccomp filter can be installed here");
    party *n = upgrade(o, "spawned", 20000);
    CHECK(rename(stage.lock, kept) == 0);
    int other = held_at(stage.lock);
    refused(o, n, "another file");
    CHECK(rename(kept, stage.lock) == 0);
    close(other);
    path_changed(o, PS_OK);
    n = upgrade(o, "after it is back", 20000);
    hand_over(o, n);
    o = n;

    /* while it loads */
    for (int spawned = 1; spawned >= 0; spawned--) {
        n = successor(o, spawned, 20000);
        bring(o, n, MET, LOADING);
        CHECK(rename(stage.lock, kept) == 0);
        other = held_at(stage.lock);
        say(n, "warm");
        aborted(o, PS_ERR_LOCK_REPLACED);
        path_changed(o, PS_ERR_LOCK_REPLACED);
        if (!spawned) { /* else its owner ends it */
            answered(n, "warm", "PS_OK");
            aborted(n, PS_ERR_LOCK_REPLACED);
            CHECK(strstr(ask(n, "reason"), stage.lock) != NULL);
        }
        ended(n);
        quiet(o);
        served_by(o);
        CHECK(rename(kept, stage.lock) == 0);
        close(other);
        path_changed(o, PS_OK);
    }

    /* its owner is dead: nobody else is left, whatever lies there */
    n = successor(o, true, 20000);
    bring(o, n, MET, LOADING);
    CHECK(rename(stage.lock, kept) == 0);
    other = held_at(stage.lock);
    crash(o);
    gone(o);
    ask(n, "warm");
    CHECK_INT(expect(n, LIVE).unsealed, 1);
    ask(n, "live");
    expect(n, COMMITTED);
    path_changed(n, PS_ERR_LOCK_REPLACED);
    served_by(n);
    CHECK(rename(kept, stage.lock) == 0);
    close(other);
    path_changed(n, PS_OK);
    o = n;

    /* removed for good */
    n = upgrade(o, "spawned", 20000);
    CHECK(unlink(stage.lock) == 0);
    other = held_at(stage.lock);
    refused(o, n, "removed");
    leave_in_order(o);
    close(other);
    unlink(stage.path);
    CHECK(unlink(stage.lock) == 0);

    /* by a link that is turned: there somebody else serves */
    snprintf(kept, sizeof kept, "%s/v1", stage.dir);
    snprintf(there, sizeof there, "%s/v2", stage.dir);
    snprintf(link_name, sizeof link_name, "%s/current", stage.dir);
    CHECK(mkdir(kept, 0700) == 0 && mkdir(there, 0700) == 0 && symlink("v1", link_name) == 0);
    snprintf(stage.path, sizeof stage.path, "%.80s/c", link_name);
    snprintf(stage.lock, sizeof stage.lock, "%.80s/c.lock", link_name);
    o = first_without_a_watch("below the link");
    n = upgrade(o, "spawned", 20000);
    CHECK(unlink(link_name) == 0 && symlink("v2", link_name) == 0);
    other = held_at(stage.lock);
    refused(o, n, "a link");
    char new[160], left[160];
    snprintf(new, sizeof new, "%s.new", link_name);
    snprintf(left, sizeof left, "%s/c.lock", there);
    CHECK(symlink("v1", new) == 0 && rename(new, link_name) == 0);
    path_changed(o, PS_OK);
    CHECK(unlink(left) == 0);
    close(other);
    n = upgrade(o, "when it is turned back", 20000);
    hand_over(o, n);
    leave_in_order(n);
    CHECK(!exists(stage.path));
    CHECK(unlink(stage.lock) == 0 && unlink(link_name) == 0 && rmdir(kept) == 0 && rmdir(there) == 0);
    stage_end();
    return 0;
}
