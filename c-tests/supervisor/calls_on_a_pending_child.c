/* What a child in line answers to calls that need a process: PS_ERR_STATE, nothing written. The others wait, or say "not yet". */
/* covers: SC-7 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(1);
    ps_child *first = spawn_named(supervisor, pausing(), 1);
    ps_command *command = name_it(pausing(), 2);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    int32_t number = 77;
    size_t needed = 77;
    ps_exit end = {.size = sizeof end};
    CHECK_ERROR(ps_signal(child, SIGTERM, &error), PS_ERR_STATE, &error);
    ps_error_free(error);
    CHECK_STATUS(ps_signal(child, 0, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_child_pid(child, &number, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_child_pidfd(child, &number, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_child_stdio(child, 1, &number, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_child_spawn_tier(child, &number, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_child_output(child, NULL, 0, &needed, NULL), PS_ERR_STATE);
    CHECK(number == 77 && needed == 77);
    CHECK_STATUS(ps_reap(child, 0, &end, NULL), PS_ERR_TIMEOUT);
    CHECK_STATUS(ps_reap(child, 20, &end, NULL), PS_ERR_TIMEOUT);
    CHECK_STATUS(ps_reap_nonblock(child, &end, NULL), PS_PENDING);
    CHECK_STATUS(ps_terminate(child, -2, &end, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_terminate_begin(child, -2, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_INT(state_of(child), PS_STATE_PENDING); /* none of these has cancelled it */
    ps_signal_all(SIGCONT);

    kill_and_free(first);
    CHECK(wait_until(state_of(child) == PS_STATE_RUNNING, 20000));
    close(pipe_end(child, 1)); /* now it has one */
    kill_and_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
