/*
 * A daemon that knows LISTEN_FDS and sd_notify is replaced while it serves: the new one is ready, the old one is told to end, finishes a request that
 * takes long, and no client is refused. The record says what became of both.
 */
/* covers: C16-3, LAW-16 */
/* variants: few */
#include "notify_supervised.h"

int main(void)
{
    int32_t pid = 0;
    uint64_t generation = 0;
    stage_begin();
    CHECK_STATUS(ps_handoff_supervisor_owner(sup, &pid, NULL, NULL), PS_ERR_NOT_FOUND);
    pid_t old = first_serves(daemon_of(NULL));
    int slow = connect_and('w');
    CHECK_INT(asked(), old); /* so that it has taken the one before */
    replace(daemon_of(NULL), 0, 20000);
    pid_t new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    committed(old, new);
    CHECK(wait_until((quiet(), asked() == new), IN_TIME)); /* the old one has heard TERM */
    CHECK_INT(asked(), new);
    CHECK_OK(ps_handoff_supervisor_owner(sup, &pid, &generation, &problem), problem);
    CHECK(pid == new && generation == 2);
    CHECK(process_state(old) != 0 && process_state(old) != 'Z');
    ps_command *third = daemon_of(NULL);
    CHECK_STATUS(ps_handoff_supervisor_replace(sup, third, 0, 0, NULL), PS_ERR_IN_PROGRESS);
    goes();
    CHECK_INT(answer(slow), old); /* begun there, and finished there */
    CHECK(wait_until((quiet(), process_gone(old)), IN_TIME));
    CHECK(wait_until((quiet(), record().settled_ns != 0), IN_TIME));
    ps_outcome outcome = record();
    CHECK(outcome.warm_ns && outcome.live_ns && outcome.committed_ns && outcome.drained_ns >= outcome.committed_ns);
    CHECK(outcome.mode == PS_HANDOFF_OVERLAP && outcome.gap_ns == 0);
    replace(third, 0, 0);
    pid_t last_one = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    committed(new, last_one);
    CHECK_OK(ps_handoff_supervisor_stop(sup, -1, &problem), problem);
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_STOPPED)->pid, last_one);
    CHECK(process_gone(last_one) && process_gone(new));
    stage_end();
    return 0;
}
