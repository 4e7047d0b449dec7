/* One directory for one child after the other, as a host does that starts its one worker again: the kernel needs a moment before it lets a
   directory go whose members were just killed, and that must not fail the next start. */
/* covers: P21 */
#include "harness.h"
#include "containment.h"

int main(void)
{
    const char *path = cgroup_path("worker");
    struct escape escape;

    /* by hand */
    for (int i = 0; i < 30; i++) {
        ps_command *command = escaping(i % 3 ? "daemon" : "bomb-sessions", &escape, i % 2);
        in_cgroup(command, path);
        ps_child *child = spawn_escape(NULL, command, &escape);
        if (i % 2)
            reap(child);
        else
            terminate(child, 0);
        ps_child_free(child);
        escape_end(&escape);
    }

    /* by the restart policy */
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = escaping("bomb-sessions", &escape, 1);
    set_stdio(command, 1, PS_STDIO_NULL, -1);
    in_cgroup(command, path);
    CHECK_OK(ps_command_restart(command, PS_RESTART_ALWAYS, 0, 0, &error), error);
    CHECK_OK(ps_command_restart_early_exit(command, 0, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    for (int runs = 0; runs < 20;) {
        ps_event event = {.size = sizeof event};
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        if (event.kind == PS_EVENT_FAILED)
            harness_fail(__FILE__, __LINE__, "run %u could not be started: %s", event.run, ps_status_name(event.status));
        runs += event.kind == PS_EVENT_EXITED;
    }
    terminate(child, 0);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    CHECK_INT(escape_survivors(&escape), 0);
    escape_end(&escape);
    CHECK(wait_until(cgroup_gone(path), 20000));
    return 0;
}
