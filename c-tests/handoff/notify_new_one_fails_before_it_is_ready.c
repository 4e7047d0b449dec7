/* One that ends, says that it ends, or is called off before it is ready is rolled back: the old one was never touched. */
/* covers: C16-3 */
/* variants: none */
#include "notify_supervised.h"

int main(void)
{
    stage_begin();
    pid_t old = first_serves(daemon_of(NULL));
    replace(daemon_of("fails", NULL), 0, 0);
    rolled_back(old, expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid, PS_ERR_EXITED);
    replace(daemon_of("stops", NULL), 0, 0);
    rolled_back(old, expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid, PS_ERR_ABORTED);
    replace(daemon_of("never", NULL), 0, 0);
    pid_t new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    CHECK_OK(ps_handoff_supervisor_cancel(sup, &problem), problem);
    rolled_back(old, new, PS_ERR_CANCELLED);
    CHECK_STATUS(ps_handoff_supervisor_cancel(sup, NULL), PS_ERR_STATE);
    ps_command *none = NULL;
    CHECK_OK(ps_command_new("/nonexistent/daemon", &none, &problem), problem);
    CHECK_STATUS(ps_handoff_supervisor_replace(sup, none, 0, 0, NULL), PS_ERR_NOT_FOUND);
    ps_command_free(none);
    quiet();
    CHECK_INT(asked(), old);
    stage_end();
    return 0;
}
