/* The default supervisor has no events and nobody who would drive a restart: a child that needs them is refused, and nothing is left. */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_error *error = NULL;
    ps_child *none = (ps_child *)(uintptr_t)0x5a5a, *untouched = none;
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_restart(command, PS_RESTART_ON_FAILURE, 1, 2, &error), error);
    CHECK_ERROR(ps_spawn(NULL, command, &none, &error), PS_ERR_INVALID_ARGUMENT, &error);
    ps_error_free(error);
    CHECK_OK(ps_command_restart(command, PS_RESTART_NEVER, 1, 2, &error), error);
    CHECK_OK(ps_command_output_lines(command, 1, &error), error);
    CHECK_ERROR(ps_spawn(NULL, command, &none, &error), PS_ERR_INVALID_ARGUMENT, &error);
    ps_error_free(error);
    CHECK(none == untouched);
    CHECK_STATUS(ps_spawn_replicas(NULL, command, 1, &none, NULL), PS_ERR_BAD_HANDLE);
    CHECK_OK(ps_command_output_lines(command, 0, &error), error);
    reap_and_free(spawn_once(NULL, command));
    CHECK(has_no_child());
    leak_guard_end(&guard);
    return 0;
}
