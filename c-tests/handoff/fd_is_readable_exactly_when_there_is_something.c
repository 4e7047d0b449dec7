/* ps_handoff_fd: each event is announced by the descriptor (the helper hears nothing otherwise), and while nothing happens it
   is silent: no phase of a handoff spins. */
/* covers: B24, S13, D1.2 */
/* variants: none: it waits for times that pass, whatever the kernel has */
#include "harness.h"
#include "handoff.h"

static void idle(party *o, party *n, enum phase at)
{
    unsigned wakes, in_vain;
    party *both[] = {o, n};
    for (int i = 0; i < 2; i++)
        if (both[i])
            ask(both[i], "wakes");
    poll(NULL, 0, 150); /* in a slow machine it is longer, and what was begun comes later */
    unsigned most = slowness() > 5 ? 10 : 3;
    for (int i = 0; i < 2; i++)
        if (both[i]) {
            CHECK_INT(sscanf(ask(both[i], "wakes"), "%u %u", &wakes, &in_vain), 2);
            if (wakes > most)
                harness_fail(__FILE__, __LINE__, "%s wakes %u times in phase %d", both[i]->name, wakes, at);
        }
}

int main(void)
{
    stage_begin();
    for (int overlap = 0; overlap < 2; overlap++) {
        stage.overlap = overlap;
        for (int spawned = 1; spawned >= 0; spawned--) {
            party *o = first("old");
            idle(o, NULL, MET);
            int fd = guest();
            idle(o, NULL, MET);
            close(fd);
            party *n = successor(o, spawned, 20000);
            idle(o, NULL, MET);
            for (enum phase at = LOADING; at <= SETTLED; at++) {
                if (at == SETTLED)
                    ask(n, "deaf 1"); /* asked whether it stands alone, it does not answer yet */
                if (at == SETTLED) {
                    idle(o, NULL, at);
                    ask(n, "deaf 0");
                }
                bring(o, n, at - 1, at);
                idle(o, n, at);
            }
            leave(o);
            idle(n, NULL, SETTLED);
            /* a successor whose owner has died, while it loads */
            party *m = takeover("third");
            enter(m, PS_HANDOFF_SUCCESSOR);
            crash(n);
            idle(m, NULL, LOADING);
            ask(m, "warm");
            expect(m, LIVE);
            idle(m, NULL, GIVEN);
            leave(m);
            gone(n);
        }
    }
    stage_end();
    return 0;
}
