/*
 * A daemon that forks says MAINPID of who goes on, and READY=1. That one is watched from then on, by its pidfd: the end of the one that was started is no
 * end, and what is stopped in the end is the one that serves. One that names a process that is not its own is not believed.
 */
/* covers: C16-3, LAW-8 */
/* variants: only tier-fork: whose number it names cannot be held without a pidfd */
#include "notify_supervised.h"

int main(void)
{
    stage_begin();
    start(daemon_of("forks", NULL));
    pid_t started = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    pid_t old = expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid;
    CHECK(old != started);
    CHECK_INT(asked(), old);
    replace(daemon_of("forks", NULL), 0, 0);
    started = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    expect(PS_HANDOFF_SUPERVISOR_COMMITTED);
    pid_t new = last.pid;
    CHECK(new != started && last.peer_pid == old);
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid, new);
    CHECK(wait_until((quiet(), process_state(old) == 'Z' || process_gone(old)), IN_TIME)); /* it was told to end */
    CHECK_INT(asked(), new);
    CHECK(wait_until((quiet(), process_gone(started)), IN_TIME)); /* reaped */
    replace(daemon_of("lies", NULL), 0, 0);
    pid_t liar = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    committed(new, liar); /* itself, whatever it says */
    CHECK(wait_until((quiet(), asked() == liar), IN_TIME)); /* the old one has heard TERM */
    stage_end();
    return 0;
}
