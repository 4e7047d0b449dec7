/* A forked copy of the host that frees everything and exits neither kills who is in the control groups nor removes them. */
/* covers: LAW-6 */
#include "harness.h"
#include "containment.h"

static ps_supervisor *supervisor;
static ps_child *child;

static void copy(void)
{
    ps_kill_and_reap_all(0, NULL);
    ps_signal_all(SIGKILL);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    warm_up(); /* tries failed removals again */
}

int main(void)
{
    const char *path = cgroup_path("host");
    struct escape escape;
    supervisor = supervisor_new();
    ps_command *command = escaping("daemon", &escape, 0);
    in_cgroup(command, path);
    child = spawn_escape(supervisor, command, &escape);
    pid_t pid = pid_of(child);

    in_forked_process(copy);
    CHECK(exists(path));
    CHECK(!is_dead(pid));
    CHECK_INT(escape_survivors(&escape), 1);

    terminate(child, 0);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    CHECK_INT(escape_survivors(&escape), 0);
    escape_end(&escape);
    CHECK(wait_until(cgroup_gone(path), 20000));
    return 0;
}
