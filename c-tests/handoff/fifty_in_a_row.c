/* Fifty handoffs in a row, spawned and by takeover in turn: the generation counts them, descriptors stay constant,
   memory too; a connection that is made at any time is answered. */
/* covers: S4, L3 */
/* timeout: 120 */
#include "harness.h"
#include "handoff.h"

enum { ROUNDS = 50 };

int main(void)
{
    int fds[2] = {0, 0}; /* who is started by the test has its standard streams from it, and what else it was started with */
    long rss = 0;
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    stage_begin();
    stage.probation = 1;
    party *o = first("first");
    for (int i = 0; i < 5; i++) {
        char name[16];
        snprintf(name, sizeof name, "fd%d", i);
        hand_on(o, name, ends[i % 2]);
    }
    for (int round = 1; round <= ROUNDS; round++) {
        party *n = successor(o, round % 2, 20000);
        enter(n, PS_HANDOFF_SUCCESSOR);
        for (int i = 0; i < 5; i++)
            close(taken(n, i == 0 ? "fd0" : i == 1 ? "fd1" : i == 2 ? "fd2" : i == 3 ? "fd3" : "fd4"));
        bring(o, n, LOADING, SEALING);
        ask(o, "sealed 7");
        int waiting = client();
        expect(n, LIVE);
        bring(o, n, GIVEN, SETTLED);
        CHECK_INT(answer_to(waiting), n->pid);
        leave(o);
        CHECK_INT(ask_number(n, "generation"), round + 1);
        if (round == 3)
            rss = ask_number(n, "rss");
        if (round <= 4)
            fds[round % 2] = (int)ask_number(n, "fds");
        CHECK_INT(ask_number(n, "fds"), fds[round % 2]);
        if (round == ROUNDS)
            CHECK(ask_number(n, "rss") < rss + 1024 || variant_is("asan") || variant_is("valgrind"));
        o = n;
    }
    leave_in_order(o);
    stage_end();
    return 0;
}
