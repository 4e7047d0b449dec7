/* A cleaner takes the lock file, the control path or both beside an idle owner, moves them away, or takes the directory: the owner is woken, makes
   them anew and says so, once. It has the lock before anybody who starts; takeovers and upgrades go on by the new files, and the last
   generation takes its path away. */
/* covers: F30, LAW-14 */
/* variants: few */
#include "harness.h"
#include "handoff.h"

enum { LOCK = 1, PATH = 2 };

static char kept[128], kept_lock[140];

static void take_away(int what, bool move)
{
    CHECK(!(what & LOCK) || (move ? rename(stage.lock, kept_lock) : unlink(stage.lock)) == 0);
    CHECK(!(what & PATH) || (move ? rename(stage.path, kept) : unlink(stage.path)) == 0);
}

/* Told of it, once or twice: it may look between the two. */
static void healed(party *o)
{
    path_changed(o, PS_OK);
    while (!exists(stage.path) || !exists(stage.lock))
        path_changed(o, PS_OK);
    ask(o, "sync");
    if (o->count)
        path_changed(o, PS_OK);
    quiet(o);
    path_is_kept();
    served_by(o);
}

int main(void)
{
    stage_begin();
    stage.probation = 20;
    char home[96];
    snprintf(home, sizeof home, "%s/run", stage.dir);
    CHECK(mkdir(home, 0700) == 0);
    snprintf(stage.path, sizeof stage.path, "%.80s/c", home);
    snprintf(stage.lock, sizeof stage.lock, "%.80s/c.lock", home);
    snprintf(kept, sizeof kept, "%s/kept", stage.dir);
    snprintf(kept_lock, sizeof kept_lock, "%s.lock", kept);
    party *o = first("old");
    int64_t generation = ask_number(o, "generation"), fds = ask_number(o, "fds");
    for (int what = LOCK; what <= (LOCK | PATH); what++)
        for (int move = 0; move < 2; move++) {
            take_away(what, move);
            healed(o);
            CHECK_INT(ask_number(o, "generation"), generation);
            CHECK_INT(ask_number(o, "fds"), fds);
            unlink(kept);
            unlink(kept_lock);
        }

    /* both ways in go by the new files; and what is handed on is looked after by the next one */
    for (int spawned = 1; spawned >= 0; spawned--) {
        party *n = successor(o, spawned, 20000);
        hand_over(o, n);
        served_by(n);
        take_away(LOCK | PATH, false);
        healed(n);
        o = n;
    }

    /* the directory, too: nothing can be made there until it is back */
    ask(o, "deaf 1"); /* it may be quicker than we are */
    take_away(LOCK | PATH, false);
    CHECK(rmdir(home) == 0);
    ask(o, "deaf 0");
    ps_handoff_event event;
    do {
        event = expect(o, PATH_CHANGED);
    } while (event.reason == PS_OK);
    CHECK_INT(event.reason, PS_ERR_NOT_FOUND);
    quiet(o);
    ask_for(o, PS_ERR_NOT_FOUND, "upgrade 1000 %s %s", helper_path("generation"), stage.meeting);
    served_by(o);
    CHECK(mkdir(home, 0700) == 0);
    healed(o);

    leave_in_order(o);
    CHECK(!exists(stage.path) && exists(stage.lock) && !lock_is_held());
    CHECK(unlink(stage.lock) == 0 && rmdir(home) == 0);
    stage_end();
    return 0;
}
