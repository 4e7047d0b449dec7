/* Generations that crash with a core that takes as long as a test needs: dumps(party, gib), core_is_whole(gib), between cores_begin() and cores_end().
   How long that is depends on the kernel: long_core(), dumps_now(). */
#ifndef PROCSUP_TEST_DUMPING_H
#define PROCSUP_TEST_DUMPING_H

#include "cores.h"
#include "handoff.h"

#include <sys/mman.h>
#include <sys/resource.h>

enum { ENDLESS = 2000, PROBED = 16, BESIDE_MS = 8000 };

/* GiB of a core whose writing is not over before what is done beside it. Where SIGKILL ends the writing, ENDLESS: nobody waits for it. There are
   kernels where it does not (6.12 goes on to the end over what is not there): there each of them is waited for, and it is what takes a few seconds. */
HARNESS int long_core(void)
{
    static int found;
    if (found)
        return found;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        size_t size = (size_t)PROBED << 30;
        struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
        char *large = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (large == MAP_FAILED || setrlimit(RLIMIT_CORE, &unlimited) != 0 || chdir(core_dir) != 0)
            _exit(6);
        large[0] = large[size - 1] = 1;
        raise(SIGSEGV);
        _exit(7);
    }
    wait_until(is_dumping(pid) || is_dead(pid), 20000);
    if (!is_dumping(pid))
        SKIP("no core is dumped here");
    int64_t began = now_ms();
    kill(pid, SIGKILL);
    wait_for(pid);
    remove_cores();
    int64_t took = now_ms() - began, beside = BESIDE_MS * (slowness() > 5 ? 2 : 1);
    /* Less than a part of what it takes to write them all, and more than it takes to see that they are written, and to end. */
    found = took < 200 * (slowness() > 5 ? 5 : 1) || PROBED * beside / took > ENDLESS ? ENDLESS : (int)(PROBED * beside / took);
    return found;
}

/* Whether this round is one of those: where each core is waited for, each phase has its turn once. */
HARNESS bool dumps_now(int spawned, enum phase at) { return long_core() == ENDLESS || spawned == ((int)at & 1); }

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
