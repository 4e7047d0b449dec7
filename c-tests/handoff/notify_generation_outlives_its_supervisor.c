/*
 * Who serves goes on when the supervisor is freed, and no kill of all reaches it; one on trial is ended with the supervisor.
 */
/* covers: C16-3, S9 */
/* variants: few */
#include "notify_supervised.h"

int main(void)
{
    stage_begin();
    pid_t old = first_serves(daemon_of(NULL));
    replace(daemon_of("never", NULL), 0, 0);
    pid_t new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    ps_kill_and_reap_all(10000, NULL);
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_ABORTED)->peer_pid, new);
    CHECK_INT(asked(), old);
    replace(daemon_of("never", NULL), 0, 0);
    new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    ps_handoff_supervisor_free(sup);
    sup = NULL;
    CHECK(process_gone(new));
    CHECK_INT(asked(), old);
    stage_end();
    return 0;
}
