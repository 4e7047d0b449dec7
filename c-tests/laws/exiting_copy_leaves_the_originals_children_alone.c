/* A copy that runs exit handlers and library destructors, or frees its inherited handles, hurts no child of the original. */
/* covers: LAW-6, EV-6 */
#include "harness.h"
#include "children.h"

int main(void)
{
    const char *dir = temp_dir();
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = pausing();
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
    ps_child *child = spawn(supervisor, command);

    fflush(NULL);
    pid_t copy = fork();
    if (copy == 0) {
        ps_child_free(child);
        ps_supervisor_free(supervisor);
        ps_command_free(command);
        exit(0);
    }
    CHECK(wait_for(copy) == 0);

    CHECK(!is_dead(pid_of(child)));
    CHECK(exists(dir));
    CHECK(ps_reap_nonblock(child, NULL, &error) == PS_PENDING);
    CHECK(terminate(child, -1).signal == SIGTERM);
    CHECK(!exists(dir));
    ps_child_free(child);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    return 0;
}
