/* A successor that does not take the connections, or not all, closes the rest by its answer to LIVE: their clients see them end as soon as the
   old generation has closed its own. */
/* covers: F38, S5 */
#include "harness.h"
#include "handoff.h"

enum { COUNT = 3 };

int main(void)
{
    int ends[COUNT][2], open = 0;
    stage_begin();
    stage.probation = 50;
    party *o = first("old");
    party *n = takeover("new");
    bring(o, n, MET, SEALING);
    for (int i = 0; i < COUNT; i++) {
        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends[i]) == 0);
        pass(o, ends[i][1], i ? "read" : "");
        close(ends[i][1]);
    }
    bring(o, n, SEALING, GIVEN);
    claimed(n);
    int taken = n->reply_fd; /* one of them lives, here */
    bring(o, n, GIVEN, SETTLED);
    ask_for(n, PS_ERR_NOT_FOUND, "claim 10");
    leave(o);
    CHECK(write(taken, "x", 1) == 1);
    for (int i = 0; i < COUNT; i++) {
        char byte = 0;
        CHECK(is_readable(ends[i][0], PATIENCE_MS));
        open += read(ends[i][0], &byte, 1) == 1 && byte == 'x';
    }
    CHECK_INT(open, 1);
    leave_in_order(n);
    stage_end();
    return 0;
}
