/* What can be known to be wrong is said by ps_spawn also when the child would have to wait: a closed descriptor, one number twice,
   a sandbox that is not there. What depends on the time of the start is not: a program that is missing now. */
/* covers: SC-1 */
/* variants: all */
#include "harness.h"
#include "supervising.h"

static void refused(ps_supervisor *supervisor, ps_command *command, ps_status expected)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    CHECK_ERROR(ps_spawn(supervisor, command, &child, &error), expected, &error);
    CHECK(child == NULL);
    ps_error_free(error);
    ps_command_free(command);
    CHECK_COUNTS(supervisor, 0, 1, 0);
}

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    ps_supervisor *supervisor = new_supervisor(1);
    ps_child *first = spawn_named(supervisor, pausing(), 1);
    leak_guard guard = leak_guard_begin();

    int closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ps_command *command = pausing();
    CHECK_OK(ps_command_pass_fd(command, closed, 9, &error), error);
    close(closed);
    refused(supervisor, command, PS_ERR_INVALID_ARGUMENT);

    command = pausing();
    CHECK_OK(ps_command_sandbox_dir(command, "/nonexistent/sandbox", &error), error);
    refused(supervisor, command, PS_ERR_NOT_FOUND);

    leak_guard_end(&guard);
    ps_child *later = spawn_named(supervisor, command_for("/nonexistent/program", NULL), 2);
    CHECK_COUNTS(supervisor, 1, 1, 0);
    kill_and_free(first);
    CHECK_STATUS(ps_reap(later, PATIENCE_MS, NULL, NULL), PS_ERR_NOT_FOUND);
    ps_child_free(later);
    ps_supervisor_free(supervisor);
    return 0;
}
