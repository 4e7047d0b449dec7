/* The final delta: descriptors that are set, replaced and taken away after the offer, and a state that is set anew at
   SEAL, are there when the successor is told LIVE (overlap: when the owner has answered DRAIN). */
/* covers: S3, D1.7 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    int ends[2], other[2], file[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0 && pipe2(other, O_CLOEXEC) == 0 && pipe2(file, O_CLOEXEC) == 0);
    stage_begin();
    stage.probation = 50;
    for (int overlap = 0; overlap < 2; overlap++) {
        stage.overlap = overlap;
        party *o = first("old");
        hand_on(o, "same", ends[0]);
        hand_on(o, "replaced", ends[0]);
        hand_on(o, "replaced when taken", ends[0]);
        hand_on(o, "gone", ends[0]);
        hand_on(o, "gone and back", ends[0]);
        ask(o, "set_state 100 1");
        party *n = upgrade(o, "new", 20000);
        enter(n, PS_HANDOFF_SUCCESSOR);
        CHECK_STR(ask(n, "state"), "100 1");
        close(taken(n, "replaced when taken"));

        hand_on(o, "replaced", other[0]); /* while it loads */
        hand_on(o, "replaced when taken", other[0]);
        ask(o, "unset gone");
        ask(o, "unset gone and back");
        ask(n, "warm");
        expect(o, DRAIN);
        hand_on(o, "gone and back", other[1]);
        hand_on(o, "fresh", file[0]);
        hand_on(o, "there and gone", file[0]);
        if (!overlap) {
            ask(o, "drained");
            expect(o, SEAL);
        }
        ask(o, "unset there and gone");
        ask(o, "set_state 70000 5");
        hand_on(o, "last", file[1]);
        ask(o, overlap ? "drained" : "sealed 7");
        expect(n, LIVE);

        CHECK_STR(ask(n, "state"), "70000 5");
        takes(n, "same", ends[0]);
        takes(n, "replaced", other[0]);
        takes(n, "replaced when taken", other[0]);
        takes(n, "gone and back", other[1]);
        takes(n, "fresh", file[0]);
        takes(n, "last", file[1]);
        ask_for(n, PS_ERR_NOT_FOUND, "take gone");
        ask_for(n, PS_ERR_NOT_FOUND, "take there and gone");
        CHECK_STR(ask(n, "names"), "");
        bring(o, n, GIVEN, SETTLED);
        leave(o);
        leave_in_order(n);
    }
    stage_end();
    return 0;
}
