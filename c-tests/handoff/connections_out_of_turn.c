/* Connections are passed on between DRAIN and the answer to SEAL, and taken at LIVE; at any other time nothing happens. What is read does not fit
   into any buffer: then it stays the next one. */
/* covers: F38 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    stage_begin();
    stage.probation = 50;
    party *o = first("old");
    ask_for(o, PS_ERR_NOT_FOUND, "claim 10"); /* the first generation */
    ask_for(o, PS_ERR_STATE, "again 2");      /* to nobody */
    ask_for(o, PS_ERR_INVALID_ARGUMENT, "again -1");
    ask_for(o, PS_ERR_INVALID_ARGUMENT, "again 999");
    ask_for(o, PS_ERR_NOT_FOUND, "keep 2");
    ask_for(o, PS_ERR_INVALID_ARGUMENT, "unset procsup:connection:3");
    ask_for(o, PS_ERR_INVALID_ARGUMENT, "take procsup:read:3");
    party *n = takeover("new");
    bring(o, n, MET, LOADING);
    ask_for(o, PS_ERR_STATE, "again 2"); /* it has not been told DRAIN */
    ask_for(n, PS_ERR_STATE, "again 2");
    ask_for(n, PS_ERR_STATE, "claim 10");
    bring(o, n, LOADING, SEALING);
    pass(o, ends[1], "0123456789");
    bring(o, n, SEALING, GIVEN);
    CHECK_STR(ask_for(n, PS_ERR_LIMIT, "claim 0"), "10");
    CHECK_STR(ask_for(n, PS_ERR_LIMIT, "claim 9"), "10");
    CHECK_STR(claimed(n), "0123456789");
    close(n->reply_fd);
    ask_for(n, PS_ERR_NOT_FOUND, "claim 10");
    bring(o, n, GIVEN, SERVING);
    ask_for(o, PS_ERR_STATE, "again 2"); /* it stands by */
    ask_for(n, PS_ERR_NOT_FOUND, "claim 10");
    bring(o, n, SERVING, SETTLED);
    ask_for(o, PS_ERR_STATE, "again 2");
    leave(o);
    leave_in_order(n);
    stage_end();
    return 0;
}
