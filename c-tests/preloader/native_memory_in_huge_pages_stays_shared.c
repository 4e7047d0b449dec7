/* A preloader that asks for it has its memory in huge pages before its first fork, and it is settled then: what a worker has for itself does not grow from one
   worker to the next. */
/* covers: C15-3, CO-autotuner-7 */
/* variants: few */
#include "native_host.h"

static long kib(pid_t pid, const char *name)
{
    char path[64], line[128];
    long value = -1;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            sscanf(line + strlen(name), ": %ld", &value);
    if (file)
        fclose(file);
    return value;
}

int main(void)
{
    host h = host_begin("how=sibling", "collapse", "mb=24", NULL);
    if (!(host_ready(&h) & 4)) {
        host_end(&h);
        SKIP("no huge pages are made here (Linux 6.1)");
    }
    CHECK(kib(h.pid, "AnonHugePages") >= 16 * 1024);
    long first = -1;
    for (uint64_t i = 1; i <= 6; i++) {
        newborn n = host_fork(&h, i, -1);
        host_greeted(&n);
        host_born(&h, i, true);
        host_go(&n);
        host_hear_kind(n.end, W_READY);
        long own = kib(n.pid, "Private_Dirty");
        CHECK(own >= 0);
        if (first < 0)
            first = own;
        CHECK(own <= first + 256);
        close(n.end);
        CHECK_INT(host_reap(n.pid), 0);
    }
    CHECK(first < 4 * 1024);
    host_end(&h);
}
