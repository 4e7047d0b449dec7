/* A server that has given up its rights, after ps_handoff_new or before, is taken over by a process that is started as
   root (as service managers do) and gives up its own before it is warm, or, if the server never was root, before it asks. One that
   stays root is refused: the owner could not end it if it hung, and so not take back from it. */
/* covers: S10 */
/* as-root */
/* variants: only tier-fork, asan, valgrind: where pidfd_send_signal is filtered nobody knows whom it may end */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    stage_begin();
    stage.probation = 20;
    for (int late = 0; late < 2; late++) {
        CHECK(chmod(stage.dir, 0755) == 0 && chown(stage.dir, late ? 0 : 54321, 0) == 0);
        party *o = start("old");
        if (!late)
            ask(o, "user 54321");
        enter(o, PS_HANDOFF_FIRST);
        if (late)
            ask(o, "user 54321");
        expect(o, LIVE);
        ask(o, "live");

        party *n = start("stays root");
        if (late) {
            enter(n, PS_HANDOFF_SUCCESSOR);
            ask(n, "warm");
            aborted(o, PS_ERR_PEER_REJECTED);
            aborted(n, PS_ERR_PEER_REJECTED);
        } else {
            /* Descriptors and state of another user are nothing that root takes. */
            ask_for(n, PS_ERR_PEER_REJECTED, "new %s", stage.path);
            expect(o, ABORTED); /* it had heard the greeting */
        }
        leave(n);

        n = start("root at first");
        if (!late)
            ask(n, "user 54321");
        enter(n, PS_HANDOFF_SUCCESSOR);
        if (late)
            ask(n, "user 54321");
        bring(o, n, LOADING, SETTLED);
        leave(o);
        served_by(n);
        leave(n);
        unlink(stage.path);
        unlink(stage.lock);
    }
    stage_end();
    return 0;
}
