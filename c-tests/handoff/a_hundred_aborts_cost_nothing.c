/* A hundred handoffs of one owner that come to nothing in all phases: descriptors and memory stay, the next one
   succeeds. */
/* covers: B16, S7, L3 */
/* timeout: 120 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    long rss = 0;
    stage_begin();
    party *o = first("old");
    ask(o, "set_state 100000 3");
    char *before = snapshot(o);
    for (int round = 0; round < 100; round++) {
        bool spawned = round % 2;
        enum phase at = LOADING + round / 2 % 5;
        party *n = successor(o, spawned, 20000);
        bring(o, n, MET, at);
        crash(n);
        if (at >= WARM)
            expect(o, RESUME);
        aborted(o, PS_ERR_EXITED);
        gone(n);
        forget(n);
        if (round == 20)
            rss = ask_number(o, "rss");
    }
    CHECK(ask_number(o, "rss") < rss + 1024 || variant_is("asan") || variant_is("valgrind"));
    as_before(o, before);
    replaced(o);
    stage_end();
    return 0;
}
