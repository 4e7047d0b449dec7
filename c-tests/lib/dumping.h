/* Generations that crash with a core that takes as long as a test needs: dumping_begin(), dumps(party, gib), core_is_whole(gib), dumping_end(). */
#ifndef PROCSUP_TEST_DUMPING_H
#define PROCSUP_TEST_DUMPING_H

#include "handoff.h"

static char core_dir[64];

HARNESS bool is_dumping(pid_t pid)
{
    char path[64], line[256];
    bool dumping = false;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        dumping |= strcmp(line, "CoreDumping:\t1\n") == 0;
    if (file)
        fclose(file);
    return dumping;
}

HARNESS void remove_cores(void)
{
    char path[400];
    DIR *entries = opendir(core_dir);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        snprintf(path, sizeof path, "%s/%s", core_dir, entry->d_name);
        unlink(path);
    }
    if (entries)
        closedir(entries);
}

/* Skips where a core goes elsewhere. */
HARNESS void dumping_begin(void)
{
    char pattern[256] = "";
    FILE *file = fopen("/proc/sys/kernel/core_pattern", "re");
    if (!file || !fgets(pattern, sizeof pattern, file) || pattern[0] == '|' || strchr(pattern, '/'))
        SKIP("cores do not go to the directory of who dumps them here");
    fclose(file);
    strcpy(core_dir, "/dev/shm/procsup-test-XXXXXX");
    if (!mkdtemp(core_dir))
        strcpy(core_dir, temp_dir());
}

HARNESS void dumping_end(void)
{
    remove_cores();
    rmdir(core_dir);
}

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
