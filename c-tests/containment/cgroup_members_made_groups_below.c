/* A child that makes control groups of its own inside, and puts processes there: they get signals, they die, and the directories go. */
/* covers: P21 */
#include "harness.h"
#include "containment.h"

static const char script[] =
    "mkdir $1/a $1/a/b $1/c $1/empty || exit 9\n"
    "for d in a a/b c; do sh -c 'echo $$ > $0/cgroup.procs; exec setsid sleep 600' $1/$d > /dev/null 2>&1 & done\n"
    "for d in a a/b c; do until [ -n \"$(cat $1/$d/cgroup.procs)\" ]; do :; done; done\n"
    "echo ready; [ -z \"$2\" ] && exec sleep 600\n";

int main(void)
{
    const char *path = cgroup_path("parent");
    for (int exits = 0; exits < 2; exits++)
        for (int step = 0; step < 2; step++) {
            char line[16];
            int fd;
            ps_error *error = NULL;
            ps_command *command = command_for("/bin/sh", "-c", script, "sh", path, exits ? "exit" : "", NULL);
            in_cgroup(command, path);
            set_stdio(command, 1, PS_STDIO_PIPE, -1);
            ps_child *child = spawn_once(NULL, command);
            fd = pipe_end(child, 1);
            CHECK(read_line(fd, line, sizeof line));
            CHECK_STR(line, "ready");
            close(fd);
            if (exits)
                reap(child);
            else if (step == 0)
                CHECK_OK(ps_terminate(child, -1, NULL, &error), error);
            else
                CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
            ps_child_free(child);
            CHECK(wait_until(cgroup_gone(path), 20000)); /* nobody is in a group that could be removed */
        }
    return 0;
}
