/* With SIGCHLD ignored the kernel reaps our children itself. Same answers: typed, in time, true where the kernel keeps them. */
/* covers: LAW-3 */
#include "harness.h"
#include "children.h"

int main(void)
{
    signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < 20; i++) {
        ps_child *child = spawn_once(NULL, exiting("13"));
        ps_exit end = reap(child);
        if (stolen_status_is_kept())
            CHECK(end.kind == PS_EXIT_EXITED && end.code == 13);
        else
            CHECK(end.kind == PS_EXIT_LOST);
        ps_child_free(child);
    }

    ps_child *child = spawn_once(NULL, pausing());
    ps_exit end = terminate(child, -1);
    if (stolen_status_is_kept())
        CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGTERM);
    else
        CHECK(end.kind == PS_EXIT_LOST);
    CHECK(end.cause == PS_CAUSE_STOP);
    ps_child_free(child);

    /* ignored in the host is not ignored in the child, which may want to wait for its own */
    ps_command *command = helper_command("show_signals", NULL);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    child = spawn_once(NULL, command);
    int out = pipe_end(child, 1);
    char *text = read_all(out);
    CHECK_STR(line_after(text, "ignored="), "0000000000000000");
    free(text);
    close(out);
    reap(child);
    ps_child_free(child);

    /* a failed exec is told by its errno, not by a status */
    ps_command *missing = command_for("/nonexistent/program", NULL);
    ps_error *error = spawn_fails(missing, PS_ERR_NOT_FOUND);
    CHECK(ps_error_errno(error) == ENOENT);
    ps_error_free(error);
    ps_command_free(missing);
    CHECK(signal(SIGCHLD, SIG_IGN) == SIG_IGN);
    CHECK(ps_live_count() == 0);
    return 0;
}
