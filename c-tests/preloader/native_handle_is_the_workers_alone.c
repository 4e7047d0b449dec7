/* The handle that a worker has from its preloader is none of a copy's that it makes by itself, and no handle when it is freed. */
/* covers: C15-1, LAW-5 */
/* variants: few */
#include "native_host.h"

static int status_in(const host *h, const char *what)
{
    char line[64], found[16];
    int status = 1, number;
    FILE *log = fopen(h->p.log, "r");
    CHECK(log);
    while (fgets(line, sizeof line, log))
        if (sscanf(line, "%15s %d", found, &number) == 2 && strcmp(found, what) == 0)
            status = number;
    fclose(log);
    return status;
}

int main(void)
{
    const char *ways[] = {"how=sibling", "how=libc", "how=runtime"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        host h = host_begin(ways[i], "worker=handle", NULL);
        host_ready(&h);
        newborn n = host_fork(&h, 1, -1);
        host_greeted(&n);
        bool sibling = i == 0;
        host_born(&h, 1, sibling);
        host_go(&n);
        host_hear_kind(n.end, W_READY);
        host_end_of(n.end);
        close(n.end);
        CHECK(wait_until(process_gone(n.pid) || process_state(n.pid) == 'Z', PATIENCE_MS));
        CHECK_INT(status_in(&h, "in-copy"), PS_ERR_FORKED);
        CHECK_INT(status_in(&h, "in-worker"), PS_OK);
        CHECK_INT(status_in(&h, "freed"), PS_ERR_BAD_HANDLE);
        if (sibling)
            CHECK_INT(host_reap(n.pid), 0);
        host_end(&h);
    }
}
