/* One program: what ps_spawn does, with all that a command may say, in line, too. */
/* variants: none */
#include "harness.h"
#include "piping.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL, *waits = NULL;
    ps_supervisor *supervisor = new_supervisor(1);
    ps_command *command = capturing(helper_command("echo_fd", "0", NULL));
    CHECK_OK(ps_command_input(command, "alone", 5, &error), error);
    pipeline(supervisor, &child, command, NULL);
    pipeline(supervisor, &waits, command, NULL);
    reap(child);
    reap(waits);
    CHECK_STR(captured(child), "alone");
    CHECK_STR(captured(waits), "alone");
    ps_child_free(child);
    ps_child_free(waits);
    const ps_command *missing[] = {command_for("/nonexistent/program", NULL)};
    ps_error_free(pipeline_fails(supervisor, missing, 1, PS_ERR_NOT_FOUND));
    ps_command_free((ps_command *)missing[0]);
    ps_command_free(restarting(command, PS_RESTART_ALWAYS, 1, 1));
    ps_supervisor_free(supervisor);
    return 0;
}
