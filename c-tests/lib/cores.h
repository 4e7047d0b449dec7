/* Cores of those who crash in a directory of the test's own: cores_begin(), is_dumping(pid), remove_cores(), cores_end(). */
#ifndef PROCSUP_TEST_CORES_H
#define PROCSUP_TEST_CORES_H

#include "children.h"

#include <dirent.h>

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
HARNESS void cores_begin(void)
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

HARNESS void cores_end(void)
{
    remove_cores();
    rmdir(core_dir);
}

#endif
