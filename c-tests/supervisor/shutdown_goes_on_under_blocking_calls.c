/* SC-8 and bug 12 of that list: after a shutdown the ends are still heard of, also when nobody takes events: ps_reap moves the stop
   plans on. */
/* covers: SC-8 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    ps_child *deaf = spawn_deaf(supervisor), *other = spawn_deaf(supervisor);
    shut_down(supervisor, 30);
    ps_exit end = reap(deaf);
    CHECK(end.signal == SIGKILL && end.cause == PS_CAUSE_SHUTDOWN);
    end = reap(other);
    CHECK(end.signal == SIGKILL && end.cause == PS_CAUSE_SHUTDOWN);
    CHECK(has_no_child());
    static event_log log;
    take_all(supervisor, &log);
    CHECK_INT(log.count, 5);
    CHECK_INT(log.events[4].kind, PS_EVENT_SHUTDOWN_DONE);
    ps_child_free(deaf);
    ps_child_free(other);
    ps_supervisor_free(supervisor);
    return 0;
}
