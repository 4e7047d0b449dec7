/* An owner watches its two files, not their directory: where others make, write and remove files, as in /tmp, it is not woken. Nor by who reads its
   own, or connects. One who gives the lock file names and takes them away as fast as he can wakes it ten times in a second at the most. */
/* covers: F30, LAW-17 */
/* variants: few */
#include "harness.h"
#include "handoff.h"

static void wakes_at_most(party *o, unsigned most)
{
    unsigned wakes = 0, in_vain = 0;
    CHECK_INT(sscanf(ask(o, "wakes"), "%u %u", &wakes, &in_vain), 2);
    if (wakes > most)
        harness_fail(__FILE__, __LINE__, "woken %u times, expected at most %u", wakes, most);
}

int main(void)
{
    char other[128], name[128];
    stage_begin();
    party *o = first("old");
    ask(o, "wakes");
    snprintf(other, sizeof other, "%s/other", stage.dir);
    snprintf(name, sizeof name, "%s/name", stage.dir);
    for (int i = 0; i < 200; i++) {
        write_file(other, "somebody's", 0600);
        CHECK(chmod(other, 0640) == 0 && rename(other, name) == 0 && unlink(name) == 0);
        CHECK(mkdir(other, 0700) == 0 && rmdir(other) == 0);
        struct stat st;
        char text[16];
        int fd = open(stage.lock, O_RDONLY | O_CLOEXEC);
        CHECK(fd >= 0 && read(fd, text, sizeof text) > 0 && close(fd) == 0 && lstat(stage.path, &st) == 0);
    }
    wakes_at_most(o, 0);

    int64_t began = now_ms();
    for (int i = 0; i < 2000; i++)
        CHECK(link(stage.lock, name) == 0 && unlink(name) == 0);
    ask(o, "sync");
    int64_t took = now_ms() - began;
    wakes_at_most(o, 4 + 2 * (unsigned)(took / 100 + 1));
    quiet(o);
    /* and it still sees what matters */
    CHECK(unlink(stage.lock) == 0);
    path_changed(o, PS_OK);
    path_is_kept();
    leave_in_order(o);
    stage_end();
    return 0;
}
