/* Terminate is soft, then hard after the grace; the record tells which it was, by whom, and how long it took. */
/* covers: RP-34, RP-44, D-4 */
/* variants: few */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    ps_child *soft = spawn_named(supervisor, pausing(), 1), *hard = spawn_deaf(supervisor);
    ps_exit end = terminate(soft, 60000);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGTERM && end.code == -1 && end.cause == PS_CAUSE_STOP);
    end = terminate(hard, 30);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGKILL && end.code == -1 && end.cause == PS_CAUSE_STOP);
    CHECK(end.ended_ns - end.started_ns >= 30000000);
    static event_log log;
    take_all(supervisor, &log);
    CHECK(logged(&log, PS_EVENT_EXITED, 0) == 2 && log.count == 4);
    ps_child_free(soft);
    ps_child_free(hard);
    ps_supervisor_free(supervisor);
    return 0;
}
