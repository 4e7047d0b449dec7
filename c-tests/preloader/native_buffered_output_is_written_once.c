/* What stands in a buffer of stdio when a worker is forked is written once, by the preloader. */
/* covers: FS-3, CO-cpython-98552 */
#include "native_host.h"

static void once(const char *how, bool sibling)
{
    char path[] = "/tmp/procsup-out-XXXXXX", text[64] = "";
    host_stdout = mkstemp(path);
    CHECK(host_stdout >= 0);
    unlink(path);
    host h = host_begin(how, "say=once.", NULL);
    host_ready(&h);
    for (uint64_t i = 1; i <= 2; i++) {
        newborn n = host_fork(&h, i, -1);
        host_greeted(&n);
        host_born(&h, i, sibling);
        host_go(&n);
        host_hear_kind(n.end, W_READY);
        close(n.end);
        if (sibling)
            CHECK_INT(host_reap(n.pid), 0);
        else
            host_hear_kind(h.channel, W_ENDED);
    }
    host_end(&h);
    /* Before each of the two forks, and before it was told to go. */
    CHECK(pread(host_stdout, text, sizeof text - 1, 0) > 0);
    CHECK_STR(text, "once.once.once.");
    close(host_stdout);
    host_stdout = -1;
}

int main(void)
{
    once("how=sibling", true);
    once("how=libc", false);
}
