/* The state: none, empty, one byte, 8 MiB; replaced by a shorter one; the successor's own for the next generation; a buffer
   that is too small gets nothing. */
/* covers: B24, D1.5 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 8 << 20, 10};
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    CHECK_STR(ask(o, "state"), "0 0");
    party *n = upgrade(o, "none", 20000);
    enter(n, PS_HANDOFF_SUCCESSOR);
    CHECK_STR(ask(n, "state"), "0 0");
    bring(o, n, LOADING, SETTLED);
    leave(o);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char expected[64];
        o = n;
        ask(o, "set_state 12345 9");
        ask(o, "set_state %zu %d", sizes[i], sizes[i] ? (int)i : 0);
        n = upgrade(o, "next", 20000);
        enter(n, PS_HANDOFF_SUCCESSOR);
        snprintf(expected, sizeof expected, "%zu %d", sizes[i], sizes[i] ? (int)i : 0);
        CHECK_STR(ask(n, "state"), expected);
        bring(o, n, LOADING, SETTLED);
        CHECK_STR(ask(n, "state"), expected); /* it stays readable */
        leave(o);
    }
    /* it has taken over state, and set none of its own */
    party *m = upgrade(n, "last", 20000);
    enter(m, PS_HANDOFF_SUCCESSOR);
    CHECK_STR(ask(m, "state"), "0 0");
    stage_end();
    return 0;
}
