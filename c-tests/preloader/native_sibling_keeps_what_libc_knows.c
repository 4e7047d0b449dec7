/* A sibling is a whole process for libc, too: a mutex that it takes is owned by the thread that it is, and a robust one that it dies with is given to the next,
   as of an own child of the preloader. */
/* covers: C15-1 */
#include "native_host.h"

static void die_with_it(const char *how, bool sibling)
{
    host h = host_begin(how, "worker=locks", NULL);
    host_ready(&h);
    for (uint64_t i = 1; i <= 2; i++) {
        newborn n = host_fork(&h, i, -1);
        host_greeted(&n);
        host_born(&h, i, sibling);
        host_go(&n);
        if (sibling)
            CHECK_INT(host_reap(n.pid), 6);
        else
            host_hear_kind(h.channel, W_ENDED);
        close(n.end);
        pid_t answer = -1, owner = -1;
        CHECK_INT(logged(&h.p, "lock", &answer), i);
        CHECK_INT(answer, i == 1 ? 0 : EOWNERDEAD);
        CHECK_INT(logged(&h.p, "owner", &owner), i);
        CHECK_INT(owner, 1);
    }
    host_end(&h);
}

int main(void)
{
    die_with_it("how=libc", false);
    die_with_it("how=sibling", true);
}
