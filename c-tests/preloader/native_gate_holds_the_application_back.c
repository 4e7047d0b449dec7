/* A newborn stands at its gate with all signals blocked, and nothing of the application runs in it: neither hooks nor handlers nor its code. Its gate closed, it
   ends; its gate opened, what was sent to it meanwhile arrives before its first instruction. */
/* covers: C15-1, LAW-7, FS-2, FS-7 */
#include "native_host.h"

static void hold(const char *how, bool sibling, int handlers)
{
    host h = host_begin(how, "hooks", "handlers", NULL);
    CHECK_INT(host_ready(&h), sibling ? 3 : 0);

    newborn closed = host_fork(&h, 7, -1);
    host_greeted(&closed);
    CHECK_INT(closed.pid, host_born(&h, 7, sibling));
    CHECK(closed.pid != h.pid);
    CHECK_INT(getpgid(closed.pid), sibling ? getpgid(h.pid) : closed.pid);
    close(closed.end);
    if (sibling)
        CHECK_INT(host_reap(closed.pid), 0);
    else
        CHECK_INT(wire_find((wire_message[]){host_hear_kind(h.channel, W_ENDED)}, T_ENDING, 0, 99), 0);

    newborn held = host_fork(&h, 8, -1);
    host_greeted(&held);
    host_born(&h, 8, sibling);
    CHECK(kill(held.pid, SIGTERM) == 0);
    CHECK(wait_until(process_state(held.pid) == 'S', PATIENCE_MS));
    CHECK_INT(logged(&h.p, "hook-worker", NULL), 0);
    host_go(&held);
    if (sibling)
        CHECK_INT(host_reap(held.pid), 1000 + SIGTERM);
    else
        CHECK_INT(wire_find((wire_message[]){host_hear_kind(h.channel, W_ENDED)}, T_ENDING, 0, 99), SIGTERM);
    close(held.end);
    CHECK_INT(logged(&h.p, "worker", NULL), 0);
    CHECK_INT(logged(&h.p, "hook-worker", NULL), 0);
    /* libc's fork runs these before anybody can help it. */
    CHECK_INT(logged(&h.p, "handler-child", NULL), handlers);
    /* Around the question at its start, and around each fork. */
    CHECK_INT(logged(&h.p, "hook-before", NULL), 3);
    CHECK(wait_until(logged(&h.p, "hook-preloader", NULL) == 3, PATIENCE_MS));
    host_end(&h);
}

int main(void)
{
    hold("how=sibling", true, 0);
    hold("how=libc", false, 2);
}
