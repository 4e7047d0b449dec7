/* A large state that is replaced at SEAL is not freed while nobody serves, which would take long: the successor still has it
   when it is told LIVE, and no more when it has answered. */
/* covers: S3 */
#include "harness.h"
#include "handoff.h"

enum { LARGE = 300000, SMALL = 100 };

/* Whether a process has a state of this length open. */
static bool holds(const party *p, off_t length)
{
    char path[64], link[320], target[64];
    struct stat file;
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)p->pid);
    DIR *dir = opendir(path);
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));) {
        snprintf(link, sizeof link, "%s/%s", path, entry->d_name);
        ssize_t got = readlink(link, target, sizeof target - 1);
        if (got < 7 || strncmp(target, "/memfd:", 7) != 0 || stat(link, &file) != 0)
            continue;
        found = found || file.st_size == length;
    }
    closedir(dir);
    return found;
}

int main(void)
{
    stage_begin();
    for (int spawned = 1; spawned >= 0; spawned--) {
        party *o = first("old");
        ask(o, "set_state %d 3", LARGE);
        party *n = successor(o, spawned, 20000);
        bring(o, n, MET, SEALING);
        CHECK(holds(o, LARGE) && holds(n, LARGE) && !holds(n, SMALL));
        ask(o, "set_state %d 4", SMALL);
        bring(o, n, SEALING, GIVEN);
        CHECK(holds(n, LARGE) && holds(n, SMALL));
        CHECK_STR(ask(n, "state"), "100 4");
        ask(n, "live");
        CHECK(!holds(n, LARGE) && holds(n, SMALL));
        CHECK_STR(ask(n, "state"), "100 4");
        crash(o);
        leave_in_order(n);
        gone(o);
    }
    stage_end();
    return 0;
}
