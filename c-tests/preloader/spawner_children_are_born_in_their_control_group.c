/* A child that a spawner makes is in its control group at its very first instruction; the group goes with it, and with one that could not start. */
/* covers: C15-5, P21 */
/* as-root */
/* variants: few */
#include "harness.h"
#include "containment.h"
#include "spawning.h"

int main(void)
{
    ps_exit end;
    char group[64] = "";
    int out[2];
    cgroup_root();
    warm_up();
    ps_supervisor *supervisor = spawner_supervisor();
    for (int fails = 0; fails < 2; fails++) {
        ps_command *command = command_for(fails ? "/nowhere/at/all" : "/bin/cat", "/proc/self/cgroup", NULL);
        in_cgroup(command, cgroup_path("own"));
        CHECK(pipe2(out, O_CLOEXEC) == 0);
        set_stdio(command, 1, PS_STDIO_FD, out[1]);
        ps_child *child = spawn(supervisor, command);
        close(out[1]);
        char *text = read_all(out[0]);
        close(out[0]);
        await_end(child, fails ? PS_ERR_NOT_FOUND : PS_OK, &end);
        snprintf(group, sizeof group, "procsup-test-%d/own\n", (int)getpid());
        CHECK(fails || strstr(text, group));
        CHECK(access(cgroup_path("own"), F_OK) != 0);
        free(text);
        ps_child_free(child);
        ps_command_free(command);
    }
    ps_supervisor_free(supervisor);
    CHECK(has_no_child());
    return 0;
}
