/* Going back on purpose, by each who can: before the commit the owner cancels and the successor fails; after it the successor alone can, by
   words or by its end, for which the event that made the owner a standby says its pid. The standby's own cancel and failed are refused. */
/* covers: F39, S1, S9 */
#include "harness.h"
#include "handoff.h"

#include <sys/syscall.h>

/* As the guide says: a pidfd first, then a look for events: if none comes, the pidfd is that of the successor. */
static void end_the_successor(party *o, pid_t pid)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0 && (errno == ENOSYS || errno == EPERM))
        return (void)kill(pid, SIGKILL);
    CHECK(pidfd >= 0);
    quiet(o);
    stands(o, PS_HANDOFF_PHASE_STANDBY);
    if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) != 0)
        CHECK(kill(pid, SIGKILL) == 0);
    close(pidfd);
}

static void back_after_the_commit(party *o, party *n)
{
    CHECK_INT(expect(o, RESUME).unsealed, 1);
    CHECK_INT(expect(o, ABORTED).phase, PS_HANDOFF_PHASE_OWNER);
    CHECK(!n->serves);
    served_by(o);
    quiet(o);
}

int main(void)
{
    stage_begin();
    stage.probation = 10000;
    for (int overlap = 0; overlap <= 1; overlap++) {
        stage.overlap = overlap;
        party *o = first("old");
        for (enum phase at = LOADING; at <= (overlap ? WARM : SEALING); at++) {
            party *n = takeover("cancelled");
            bring(o, n, MET, at);
            ask(o, "cancel");
            called_off(o, at, PS_ERR_CANCELLED);
            CHECK_INT(aborted(n, PS_ERR_CANCELLED).phase, PS_HANDOFF_PHASE_GONE);
            leave(n);
            served_by(o);

            n = takeover("failing");
            bring(o, n, MET, at);
            ask(n, "failed the health check");
            called_off(o, at, PS_ERR_ABORTED);
            CHECK_STR(ask(o, "reason"), "the health check");
            CHECK_INT(aborted(n, PS_ERR_ABORTED).phase, PS_HANDOFF_PHASE_GONE);
            leave(n);
            served_by(o);
        }
        for (enum phase at = GIVEN; at <= SERVING; at++) {
            party *n = takeover("giving back");
            bring(o, n, MET, at);
            ask_for(o, PS_ERR_STATE, "cancel");
            ask_for(o, PS_ERR_STATE, "failed it is too late");
            serving(n, false); /* it stops writing, then says so */
            ask(n, "failed the health check");
            CHECK_INT(aborted(n, PS_ERR_ABORTED).phase, PS_HANDOFF_PHASE_GONE);
            leave(n);
            back_after_the_commit(o, n);
        }
        for (int spawned = 0; spawned <= 1; spawned++) {
            party *n = successor(o, spawned, 20000);
            bring(o, n, MET, GIVEN);
            ask(n, "live");
            if (overlap) {
                expect(o, SEAL);
                ask(o, "sealed 7");
            }
            ps_handoff_event committed = expect(o, COMMITTED);
            CHECK_INT(committed.phase, PS_HANDOFF_PHASE_STANDBY);
            CHECK_INT(committed.peer_pid, n->pid);
            serving(n, false);
            n->gone = true;
            end_the_successor(o, committed.peer_pid);
            back_after_the_commit(o, n);
            gone(n);
        }
        stage.probation = 50;
        ask(o, "timeout %d %d", PS_HANDOFF_TIMEOUT_PROBATION, stage.probation);
        leave_in_order(replaced(o));
        stage.probation = 10000;
    }
    stage_end();
    return 0;
}
