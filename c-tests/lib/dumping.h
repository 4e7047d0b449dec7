/* Generations that crash with a core that takes as long as a test needs: dumps(party, gib), core_is_whole(gib), between cores_begin() and cores_end(). */
#ifndef PROCSUP_TEST_DUMPING_H
#define PROCSUP_TEST_DUMPING_H

#include "cores.h"
#include "handoff.h"

/* It crashes, and writes its core from here on. */
HARNESS void dumps(party *p, int gib)
{
    say(p, "dump %s %d", core_dir, gib);
    p->gone = true;
    p->serves = false;
    if (!wait_until(is_dumping(p->pid) || is_dead(p->pid), 20000) || !is_dumping(p->pid))
        SKIP("no core is dumped here");
}

/* The largest file there. */
HARNESS int64_t core_size(void)
{
    char path[400];
    struct stat found;
    int64_t size = 0;
    DIR *entries = opendir(core_dir);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        snprintf(path, sizeof path, "%s/%s", core_dir, entry->d_name);
        if (stat(path, &found) == 0 && S_ISREG(found.st_mode) && found.st_size > size)
            size = found.st_size;
    }
    if (entries)
        closedir(entries);
    return size;
}

/* Its last page is there. */
HARNESS void core_is_whole(int gib)
{
    CHECK(core_size() > (int64_t)gib << 30);
    remove_cores();
}

#endif
