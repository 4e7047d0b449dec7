/* A worker that is the preloader's own child stays a zombie until the host has seen how it ended, two seconds at the most. */
/* covers: C15-1 */
/* variants: few */
#include "native_host.h"

static pid_t ended(host *h, uint64_t birth)
{
    newborn n = host_fork(h, birth, -1);
    host_greeted(&n);
    host_born(h, birth, false);
    host_go(&n);
    wire_message m = host_hear_kind(h->channel, W_ENDED);
    CHECK_INT(wire_find(&m, T_BIRTH, 0, 0), birth);
    CHECK_INT(wire_find(&m, T_PID, 0, 0), n.pid);
    CHECK_INT(wire_find(&m, T_ENDING, 0, 0), 7 << 8);
    CHECK_INT(process_state(n.pid), 'Z');
    close(n.end);
    return n.pid;
}

int main(void)
{
    host h = host_begin("how=libc", "worker=die", NULL);
    CHECK_INT(host_ready(&h), 0);
    pid_t seen = ended(&h, 1);
    host_say(&h, W_RELEASE, 1);
    CHECK(wait_until(process_gone(seen), PATIENCE_MS));

    /* Let go before it has ended. */
    newborn early = host_fork(&h, 2, -1);
    host_greeted(&early);
    host_born(&h, 2, false);
    host_say(&h, W_RELEASE, 2);
    host_go(&early);
    host_hear_kind(h.channel, W_ENDED);
    CHECK(wait_until(process_gone(early.pid), PATIENCE_MS));
    close(early.end);

    pid_t unseen = ended(&h, 3);
    CHECK(wait_until(process_gone(unseen), PATIENCE_MS));
    host_end(&h);
}
