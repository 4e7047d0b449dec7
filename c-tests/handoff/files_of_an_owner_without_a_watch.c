/* No inotify is to be had (its instances are few): an owner is none the worse. It looks at its files at each step: an upgrade makes them anew and goes
   through, a guest that came before is let in by new ones, and what is lost while a successor loads is found when that is warm. */
/* covers: F30, LAW-14 */
/* variants: few */
#include "harness.h"
#include "handoff.h"

#include <dirent.h>

static int sockets_of(pid_t pid)
{
    char path[300], to[16];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));) {
        snprintf(path, sizeof path, "/proc/%d/fd/%.20s", (int)pid, entry->d_name);
        count += readlink(path, to, sizeof to) > 7 && strncmp(to, "socket:", 7) == 0;
    }
    closedir(dir);
    return count;
}

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first_without_a_watch("old");
    if (!o)
        SKIP("no seccomp filter can be installed here");

    for (int what = 1; what <= 3; what++) {
        CHECK(!(what & 1) || unlink(stage.lock) == 0);
        CHECK(!(what & 2) || unlink(stage.path) == 0);
        quiet(o); /* nobody has told it */
        party *n = upgrade(o, "new", 20000);
        path_changed(o, PS_OK);
        path_is_kept();
        if (what == 3) {
            hand_over(o, n); /* the filter is inherited */
            o = n;
        } else {
            ask(o, "cancel");
            aborted(o, PS_ERR_CANCELLED);
            gone(n);
        }
    }
    served_by(o);

    /* a guest whose greeting comes after the loss */
    stop(o);
    party *n = takeover("guest");
    int before = sockets_of(n->pid);
    say(n, "new %s", stage.path);
    CHECK(wait_until(sockets_of(n->pid) > before && process_state(n->pid) == 'S', 20000)); /* it has greeted */
    CHECK(unlink(stage.lock) == 0);
    go_on(o);
    path_changed(o, PS_OK);
    answered(n, "new", "PS_OK");
    path_is_kept();
    if (o->count == 0)
        quiet(o);

    /* while it loads */
    CHECK(unlink(stage.lock) == 0);
    ask(n, "warm");
    aborted(o, PS_ERR_LOCK_REPLACED);
    path_changed(o, PS_OK);
    aborted(n, PS_ERR_LOCK_REPLACED);
    leave(n);
    path_is_kept();
    served_by(o);
    n = replaced(o);
    leave_in_order(n);
    stage_end();
    return 0;
}
