/* What was handed on and not taken is closed by ps_handoff_live in the successor, and only there: the old generation could
   still take back, and its clients wait in the line of that very listener. */
/* covers: S5, D1.5 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    int ends[2];
    char byte;
    CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    stage_begin();
    stage.probation = 500;
    party *o = first("old");
    hand_on(o, "write", ends[1]);
    close(ends[1]);
    party *n = upgrade(o, "new", 20000);
    bring(o, n, MET, GIVEN);
    CHECK_STR(ask(n, "names"), "write\n");
    ask(n, "live");
    CHECK_STR(ask(n, "names"), "");
    ask_for(n, PS_ERR_NOT_FOUND, "take write");
    CHECK(read(ends[0], &byte, 1) == -1 && errno == EAGAIN); /* the old generation holds it */
    expect(o, COMMITTED);
    expect(n, COMMITTED);
    expect(o, RETIRE);
    /* the old one lets go of what it has handed on when it retires, so that the writer is gone now */
    CHECK(is_readable(ends[0], PATIENCE_MS));
    CHECK_INT(read(ends[0], &byte, 1), 0);
    leave(o);
    stage_end();
    return 0;
}
