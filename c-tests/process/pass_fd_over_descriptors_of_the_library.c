/* The library keeps descriptors of its own at low numbers. Passing onto exactly those numbers must work all the same. */
#include "harness.h"
#include "children.h"

int main(void)
{
    warm_up();
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    for (int target = 3; target < 40; target++) {
        int p[2];
        CHECK(pipe2(p, O_CLOEXEC) == 0);
        CHECK_INT(write(p[1], "x", 1), 1);
        close(p[1]);
        char number[16];
        snprintf(number, sizeof number, "%d", target);
        ps_command *command = helper_command("echo_fd", number, NULL);
        CHECK_OK(ps_command_pass_fd(command, p[0], target, &error), error);
        set_stdio(command, 1, PS_STDIO_PIPE, -1);
        ps_child *child = spawn_once(supervisor, command);
        int out = pipe_end(child, 1);
        char *text = read_all(out);
        CHECK_STR(text, "x");
        free(text);
        close(out);
        close(p[0]);
        reap_and_free(child);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
