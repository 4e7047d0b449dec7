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

    ps_command *speaking = shell("echo mine; exec \"$1\"", helper_path("pause_forever"));
    CHECK_OK(ps_command_capture(speaking, 100, &error), error);
    ps_child *captured = spawn_once(NULL, speaking);

    fflush(NULL);
    pid_t copy = fork();
    if (copy == 0) {
        ps_child_free(child);
        ps_child_free(captured);
        ps_supervisor_free(supervisor);
        ps_command_free(command);
        exit(0);
    }
    CHECK(wait_for(copy) == 0);

    CHECK(!is_dead(pid_of(child)));
    CHECK(exists(dir));
    CHECK(ps_reap_nonblock(child, NULL, &error) == PS_PENDING);
    char text[16] = "";
    CHECK(wait_until(ps_child_output(captured, text, sizeof text - 1, NULL, NULL) == PS_OK && strcmp(text, "mine\n") == 0, 20000));
    kill_and_free(captured);
    CHECK(terminate(child, -1).signal == SIGTERM);
    CHECK(!exists(dir));
    ps_child_free(child);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    return 0;
}
