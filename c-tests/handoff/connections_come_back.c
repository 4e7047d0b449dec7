/* A handoff that comes to nothing passes nothing on: before the commit and after it the owner's connections are its own again, no duplicate
   holds one open that it closes, and the next handoff begins anew. */
/* covers: F38, S7 */
#include "harness.h"
#include "handoff.h"

enum way { CANCELLED, DIES_BEFORE, DIES_AFTER, GIVES_BACK, WAYS };

int main(void)
{
    stage_begin();
    stage.probation = 50;
    party *o = first("old");
    for (int way = 0; way < WAYS; way++) {
        int ends[2], other[2];
        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, other) == 0);
        party *n = takeover("new");
        bring(o, n, MET, WARM);
        int number = pass(o, ends[1], "read");
        bring(o, n, WARM, SEALING);
        int second = pass(o, other[1], "");
        close(ends[1]);
        close(other[1]);
        switch (way) {
        case CANCELLED:
            ask(o, "cancel");
            called_off(o, SEALING, PS_ERR_CANCELLED);
            aborted(n, PS_ERR_CANCELLED);
            break;
        case DIES_BEFORE:
            crash(n);
            called_off(o, SEALING, PS_ERR_EXITED);
            break;
        default:
            bring(o, n, SEALING, GIVEN);
            CHECK(write(ends[0], "x", 1) == 1); /* it waits for who reads */
            close((claimed(n), n->reply_fd));
            if (way == DIES_AFTER)
                crash(n);
            else
                serving(n, false), ask(n, "failed no good");
            CHECK_INT(expect(o, RESUME).unsealed, 1);
            aborted(o, way == DIES_AFTER ? PS_ERR_EXITED : PS_ERR_ABORTED);
        }
        ask_for(o, PS_ERR_NOT_FOUND, "keep %d", number);
        ask_for(o, PS_ERR_STATE, "again %d", number);
        if (runs(n))
            leave(n);
        else
            gone(n);
        CHECK(!is_ended(ends[0], 0) && !is_ended(other[0], 0));
        ask(o, "close %d", number);
        ask(o, "close %d", second);
        CHECK(is_ended(ends[0], PATIENCE_MS) && is_ended(other[0], PATIENCE_MS));
        close(ends[0]);
        close(other[0]);
    }
    party *n = upgrade(o, "last", 20000);
    bring(o, n, MET, GIVEN);
    ask_for(n, PS_ERR_NOT_FOUND, "claim 1000");
    bring(o, n, GIVEN, SETTLED);
    leave(o);
    leave_in_order(n);
    stage_end();
    return 0;
}
