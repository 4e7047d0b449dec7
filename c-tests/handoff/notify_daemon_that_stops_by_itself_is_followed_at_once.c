/*
 * A daemon that says STOPPING=1 may take its time over what it has begun: another is started at once, and nobody waits for the old one's end. Reloads
 * change nothing.
 */
/* covers: C16-3 */
/* variants: none */
#include "notify_supervised.h"

int main(void)
{
    stage_begin();
    pid_t old = first_serves(daemon_of("reloads", NULL));
    int slow = connect_and('w');
    CHECK_INT(answer(connect_and('q')), old);
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_OWNER_ENDED)->pid, old);
    CHECK_INT(last.reason, PS_ERR_ABORTED);
    pid_t new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid, new);
    CHECK_INT(asked(), new);
    CHECK(process_state(old) != 0 && process_state(old) != 'Z'); /* and no signal has come to it: TERM would have ended its wait */
    goes();
    CHECK_INT(answer(slow), old);
    CHECK(wait_until((quiet(), process_gone(old)), IN_TIME));
    stage_end();
    return 0;
}
