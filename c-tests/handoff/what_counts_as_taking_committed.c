/* Between COMMITTED and the next call for an event: an upgrade counts as that call, and so does freeing the handle; that it has failed comes too late. A
   takeover that comes meanwhile is taken once the server has come back. If one of the two dies, the other goes on. */
/* covers: F32, L1, L5 */
#include "harness.h"
#include "handoff.h"

static party *committed(party *o, const char *name)
{
    party *n = upgrade(o, name, 20000);
    ask(n, "hold");
    bring(o, n, MET, SERVING);
    expect(n, COMMITTED);
    quiet(o);
    return n;
}

int main(void)
{
    stage_begin();
    stage.probation = 1;
    party *o = first("first");

    /* an upgrade */
    party *n = committed(o, "second");
    ask_for(n, PS_ERR_STATE, "failed too late");
    ask_for(n, PS_ERR_STATE, "cancel");
    ask_for(n, PS_ERR_STATE, "live");
    quiet(o);
    party *m = upgrade(n, "third", 20000);
    expect(o, RETIRE);
    leave(o);
    ask(n, "deaf 0");
    hand_over(n, m);
    o = m;

    /* a takeover, meanwhile */
    n = committed(o, "fourth");
    m = takeover("fifth");
    say(m, "new %s", stage.path);
    quiet(o);
    ask(n, "deaf 0");
    expect(o, RETIRE);
    leave(o);
    answered(m, "new", "PS_OK");
    ask(m, "timeout %d %d", PS_HANDOFF_TIMEOUT_PROBATION, stage.probation);
    bring(n, m, LOADING, SETTLED);
    leave(n);
    o = m;

    /* the new one dies: it has not been believed yet */
    n = committed(o, "sixth");
    crash(n);
    CHECK_INT(expect(o, RESUME).unsealed, 1);
    aborted(o, PS_ERR_EXITED);
    gone(n);
    served_by(o);

    /* the old one dies */
    n = committed(o, "seventh");
    crash(o);
    ask(n, "deaf 0");
    quiet(n);
    served_by(n);
    o = n;

    /* the handle is freed */
    n = committed(o, "eighth");
    ask(n, "free");
    expect(o, RETIRE);
    leave(o);
    leave(n);
    stage_end();
    return 0;
}
