/* PS_HANDOFF_TIMEOUT_DRAIN and _SEAL end a handoff whose whole deadline is far away; the event says by when the answer
   is due, and the words of both sides whose it was. An answer that comes too late is PS_ERR_STATE. */
/* covers: LAW-15, L2 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    ask(o, "timeout %d 300", PS_HANDOFF_TIMEOUT_DRAIN);
    ask(o, "timeout %d 200", PS_HANDOFF_TIMEOUT_SEAL);
    for (enum phase at = WARM; at <= SEALING; at++) {
        party *n = takeover("new");
        enter(n, PS_HANDOFF_SUCCESSOR);
        ask(n, "warm");
        ps_handoff_event told = expect(o, DRAIN);
        CHECK_INT((told.deadline_ns - told.time_ns + 5000000) / 10000000, 30);
        if (at == SEALING) {
            ask(o, "drained");
            told = expect(o, SEAL);
            CHECK_INT((told.deadline_ns - told.time_ns + 5000000) / 10000000, 20);
        }
        CHECK_INT(expect(o, RESUME).unsealed, 0);
        ps_handoff_event end = aborted(o, PS_ERR_TIMEOUT);
        CHECK(end.time_ns >= told.deadline_ns && end.time_ns < told.deadline_ns + 500000000ll * slowness());
        ask_for(o, PS_ERR_STATE, "drained");
        ask_for(o, PS_ERR_STATE, "sealed 3");
        o->serves = true; /* the call was refused: the application goes on */
        aborted(n, PS_ERR_TIMEOUT);
        char words[80];
        snprintf(words, sizeof words, "the running generation did not answer %s in time", at == SEALING ? "SEAL" : "DRAIN");
        CHECK_STR(ask(o, "reason"), words);
        CHECK_STR(ask(n, "reason"), words);
        leave(n);
    }
    stage_end();
    return 0;
}
