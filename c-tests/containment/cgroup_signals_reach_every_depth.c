/* A member forty control groups further down, in a session of its own, hears a signal as those at the top do: once. */
/* covers: F2, LAW-17 */
#include "harness.h"
#include "containment.h"

static const char script[] =
    "p=$1; i=0; while [ $i -lt 40 ]; do p=$p/d; i=$((i + 1)); done; mkdir -p $p || exit 9\n"
    "setsid sh -c 'echo $$ > $0/cgroup.procs; trap \"echo heard; exit\" USR1; echo ready; while :; do sleep 0.01; done' $p &\n"
    "trap : USR1; while :; do wait; done\n";

int main(void)
{
    char line[16];
    ps_error *error = NULL;
    const char *path = cgroup_path("deep");
    ps_command *command = shell(script, path);
    in_cgroup(command, path);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int fd = pipe_end(child, 1);
    CHECK(read_line(fd, line, sizeof line));
    CHECK_STR(line, "ready");
    CHECK_OK(ps_signal(child, SIGUSR1, &error), error);
    CHECK(read_line(fd, line, sizeof line));
    CHECK_STR(line, "heard");
    close(fd);
    kill_and_free(child);
    CHECK(wait_until(cgroup_gone(path), 20000));
    return 0;
}
