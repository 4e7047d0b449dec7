/* Whoever connects to the control path finds by SO_PEERCRED the generation that owns now: each new owner listens anew, and so does one
   that takes back. Where a peer's pidfd cannot be had otherwise, a connection that names another would be refused. */
/* covers: S10 */
#include "harness.h"
#include "handoff.h"

static void names(party *p)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    int fd = guest();
    CHECK(fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0);
    CHECK_INT(peer.pid, p->pid);
    close(fd);
}

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    names(o);
    for (int spawned = 1; spawned >= 0; spawned--) {
        party *n = successor(o, spawned, 20000);
        bring(o, n, MET, SETTLED);
        leave(o);
        names(n);
        party *m = successor(n, spawned, 20000);
        bring(n, m, MET, GIVEN);
        crash(m);
        CHECK_INT(expect(n, RESUME).unsealed, 1);
        expect(n, ABORTED);
        names(n);
        gone(m);
        o = n;
    }
    leave_in_order(o);
    stage_end();
    return 0;
}
