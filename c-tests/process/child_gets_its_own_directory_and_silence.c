/* Working directory and TMPDIR inside the sandbox, output muted: nothing of it shows in the host. */
/* covers: EV-19 */
#include "harness.h"
#include "children.h"

int main(void)
{
    const char *dir = temp_dir();
    char before[PATH_MAX], after[PATH_MAX];
    CHECK(getcwd(before, sizeof before) != NULL);

    ps_error *error = NULL;
    int report[2];
    CHECK(pipe2(report, O_CLOEXEC) == 0);
    ps_command *command = shell("echo noise; echo noise >&2; touch made-here; pwd >&3; echo $TMPDIR >&3; out=$(readlink /proc/$$/fd/1); echo $out >&3", "");
    CHECK_OK(ps_command_cwd(command, dir, &error), error);
    CHECK_OK(ps_command_env(command, "TMPDIR", dir, &error), error);
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
    CHECK_OK(ps_command_pass_fd(command, report[1], 3, &error), error);
    set_stdio(command, 1, PS_STDIO_NULL, -1);
    set_stdio(command, 2, PS_STDIO_NULL, -1);
    ps_child *child = spawn_once(NULL, command);
    close(report[1]);

    char line[PATH_MAX];
    read_line(report[0], line, sizeof line);
    CHECK(strcmp(line, dir) == 0);
    read_line(report[0], line, sizeof line);
    CHECK(strcmp(line, dir) == 0);
    read_line(report[0], line, sizeof line);
    CHECK(strcmp(line, "/dev/null") == 0);
    CHECK(reap(child).code == 0);
    ps_child_free(child);

    CHECK(!exists(dir) && !exists("made-here"));
    CHECK(getcwd(after, sizeof after) != NULL && strcmp(before, after) == 0);
    return 0;
}
