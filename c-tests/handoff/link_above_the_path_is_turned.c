/* A link above the control path is turned to another directory, or the directory is renamed: an owner that has a watch is woken, and is found where
   the path leads now, by a new lock; turned back, it is found there again. So an upgrade and a takeover go on after a deployment. */
/* covers: F30, LAW-14 */
/* variants: few */
#include "harness.h"
#include "handoff.h"

static char home[96], current[128], new[128];

static void place(char *text, size_t size, const char *name) { snprintf(text, size, "%s/%s", home, name); }

static void turn_to(const char *version)
{
    CHECK(symlink(version, new) == 0 && rename(new, current) == 0);
}

int main(void)
{
    char v1[128], v2[128], away[128];
    stage_begin();
    stage.probation = 20;
    strcpy(home, stage.dir);
    place(v1, sizeof v1, "v1");
    place(v2, sizeof v2, "v2");
    place(away, sizeof away, "away");
    place(current, sizeof current, "current");
    place(new, sizeof new, "new");
    CHECK(mkdir(v1, 0700) == 0 && mkdir(v2, 0700) == 0 && symlink("v1", current) == 0);
    snprintf(stage.path, sizeof stage.path, "%.80s/c", current);
    snprintf(stage.lock, sizeof stage.lock, "%.80s/c.lock", current);

    party *o = first("old");
    for (int i = 0; i < 4; i++) {
        turn_to(i % 2 ? "v1" : "v2");
        path_changed(o, PS_OK);
        quiet(o);
        path_is_kept();
        served_by(o);
    }
    for (int spawned = 1; spawned >= 0; spawned--) {
        turn_to(spawned ? "v2" : "v1");
        path_changed(o, PS_OK);
        party *n = successor(o, spawned, 20000);
        hand_over(o, n);
        served_by(n);
        o = n;
    }

    /* the directory itself, and another one under its name */
    CHECK(rename(v1, away) == 0);
    ps_handoff_event event = expect(o, PATH_CHANGED);
    CHECK_INT(event.reason, PS_ERR_NOT_FOUND);
    CHECK(mkdir(v1, 0700) == 0);
    path_changed(o, PS_OK);
    path_is_kept();
    leave_in_order(o);
    CHECK(!exists(stage.path));
    unlink(current);
    for (int i = 0; i < 3; i++) {
        char file[160];
        const char *in = i == 0 ? v1 : i == 1 ? v2 : away;
        snprintf(file, sizeof file, "%s/c", in);
        unlink(file);
        strcat(file, ".lock");
        unlink(file);
        CHECK(rmdir(in) == 0);
    }
    stage_end();
    return 0;
}
