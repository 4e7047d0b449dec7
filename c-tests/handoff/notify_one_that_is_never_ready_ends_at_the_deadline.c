/* The deadline of a replacement is the supervisor's: who has not said READY=1 by then is ended. EXTEND_TIMEOUT_USEC puts it off. */
/* covers: C16-3, LAW-15 */
/* variants: none */
#include "notify_supervised.h"

int main(void)
{
    stage_begin();
    pid_t old = first_serves(daemon_of(NULL));
    replace(daemon_of("never", NULL), 100, 0);
    pid_t new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    int64_t begun = now_ms();
    rolled_back(old, new, PS_ERR_TIMEOUT);
    CHECK(now_ms() - begun >= 90);
    int64_t deadline = 1000 * slowness();
    begun = now_ms();
    replace(daemon_of("extends", NULL), deadline, 0);
    new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    CHECK(wait_until((quiet(), now_ms() - begun > deadline + 50), IN_TIME)); /* its time is over, and it has more */
    goes();
    committed(old, new);
    stage_end();
    return 0;
}
