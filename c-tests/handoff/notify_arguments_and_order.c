/* What is out of turn or would tie the daemon to this process is refused, and changes nothing. */
/* covers: C16-3 */
/* variants: none */
#include "notify_supervised.h"

int main(void)
{
    stage_begin();
    ps_command *command = daemon_of(NULL);
    CHECK_STATUS(ps_handoff_supervisor_replace(sup, command, 0, 0, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_handoff_supervisor_cancel(sup, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_handoff_supervisor_stop(sup, -1, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_handoff_supervisor_replace(sup, command, -1, 0, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_handoff_supervisor_set_probation(sup, -1, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_command *tied = daemon_of(NULL);
    CHECK_OK(ps_command_die_with_host(tied, 1, &problem), problem);
    CHECK_STATUS(ps_handoff_supervisor_start(sup, tied, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_command_free(tied);
    pid_t old = first_serves(command);
    CHECK_STATUS(ps_handoff_supervisor_set_protocol(sup, PS_HANDOFF_PROTOCOL_NATIVE, NULL), PS_ERR_STATE);
    command = daemon_of(NULL);
    CHECK_STATUS(ps_handoff_supervisor_start(sup, command, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_handoff_supervisor_recover(sup, NULL), PS_ERR_STATE);
    ps_command_free(command);
    command = daemon_of("never", NULL); /* ready by its exec: it is not asked for READY=1 */
    CHECK_OK(ps_command_readiness(command, PS_READY_EXEC, NULL, 0, &problem), problem);
    replace(command, 0, 0);
    pid_t new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    committed(old, new);
    stage_end();
    return 0;
}
