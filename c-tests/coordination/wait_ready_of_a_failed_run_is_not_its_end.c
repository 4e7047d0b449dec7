/* A run that was not ready in time is killed, and the child comes back: whoever only looks in between (a wait of 0) is not told that the child has failed. */
/* covers: C13-3, RP-13 */
#include "harness.h"

#include "ready.h"
#include "supervising.h"

int main(void)
{
    char first[300];
    ps_error *error = NULL;
    warm_up();
    snprintf(first, sizeof first, "first:%s", ready_path("first"));
    ps_supervisor *supervisor = supervisor_new();
    /* The first run says nothing; the second does. */
    ps_command *command = ready_command(PS_READY_FD, "3", 300 * slowness(), first, "pause", "newline:3", "pause", NULL);
    ps_child *child = spawn_in(supervisor, restarting(command, PS_RESTART_ALWAYS, 1, 1));
    for (ps_status status = PS_ERR_TIMEOUT; status != PS_OK;) {
        status = ps_wait_ready(child, 0, &error);
        if (status != PS_OK) {
            CHECK_INT(status, PS_ERR_TIMEOUT);
            CHECK_STR(ps_error_step(error), "wait");
            ps_error_free(error);
            let_others_run(100);
        }
    }
    end_child(child);
    ps_supervisor_free(supervisor);
    return 0;
}
