/* A forked copy of a subreaping host touches none of the original's orphans, and may be one for itself. */
/* covers: LAW-6 */
#include "harness.h"
#include "containment.h"

static ps_supervisor *supervisor;

static void copy(void)
{
    struct escape escape;
    ps_event event = {.size = sizeof event};
    CHECK_STATUS(ps_supervisor_next_event(supervisor, 0, &event, NULL), PS_ERR_FORKED);
    ps_supervisor_free(supervisor);

    ps_supervisor *own = supervisor_new();
    be_subreaper(own, 1);
    ps_child *child = spawn_escape(own, escaping("daemon", &escape, 1), &escape);
    CHECK(pump_until(own, process_gone(escape.pid[0]), 20000));
    ps_child_free(child);
    ps_supervisor_free(own);
    escape_end(&escape);
}

int main(void)
{
    struct escape escape;
    supervisor = supervisor_new();
    be_subreaper(supervisor, 1);
    ps_child *child = spawn_escape(supervisor, escaping("daemon", &escape, 0), &escape);
    in_forked_process(copy);
    CHECK_INT(escape_survivors(&escape), 1);
    CHECK(!is_dead(pid_of(child)));
    terminate(child, 0);
    CHECK(pump_until(supervisor, process_gone(escape.pid[0]), 20000));
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    escape_end(&escape);
    return 0;
}
