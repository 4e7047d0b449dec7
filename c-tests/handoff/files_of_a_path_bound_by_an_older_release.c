/* The first generation was one of a release that did not note what it had bound. Whoever follows it looks after the path all the same: one that is gone is
   made anew, and known from then on. */
/* covers: F30 */
#include "harness.h"
#include "handoff.h"

/* Words 8 and 9 of the record say nothing, as they did then. */
static void forgets_what_it_bound(party *p)
{
    char dir[64], link[400], target[128];
    uint64_t nothing[2] = {0, 0};
    bool found = false;
    snprintf(dir, sizeof dir, "/proc/%d/fd", (int)p->pid);
    DIR *entries = opendir(dir);
    for (struct dirent *entry; entries && !found && (entry = readdir(entries));) {
        snprintf(link, sizeof link, "%s/%s", dir, entry->d_name);
        ssize_t length = readlink(link, target, sizeof target - 1);
        target[length > 0 ? length : 0] = 0;
        if (strstr(target, "procsup-epoch")) {
            int fd = open(link, O_RDWR | O_CLOEXEC);
            found = fd >= 0 && pwrite(fd, nothing, sizeof nothing, 64) == sizeof nothing;
            close(fd);
        }
    }
    closedir(entries);
    CHECK(found);
}

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("older");
    forgets_what_it_bound(o);
    party *n = takeover("new");
    hand_over(o, n);
    for (int both = 1; both >= 0; both--) {
        CHECK(!both || unlink(stage.lock) == 0);
        CHECK(unlink(stage.path) == 0);
        do path_changed(n, PS_OK); while (!exists(stage.path) || !exists(stage.lock));
        path_is_kept();
    }
    party *m = takeover("next");
    hand_over(n, m);
    leave_in_order(m);
    CHECK(!exists(stage.path));
    stage_end();
    return 0;
}
