/* A child without a restart policy, or with PS_RESTART_NEVER, has one run, however it ends. */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    for (int i = 0; i < 4; i++) {
        ps_command *command = exiting(i % 2 ? "1" : "0");
        if (i >= 2)
            restarting(command, PS_RESTART_NEVER, 0, 0);
        ps_child *child = spawn_named(supervisor, command, 1);
        CHECK_INT(reap(child).code, i % 2);
        CHECK_INT(expect(supervisor, PS_EVENT_STARTED, 1).run, 1);
        CHECK_INT(expect(supervisor, PS_EVENT_EXITED, 1).run, 1);
        expect_nothing(supervisor);
        CHECK_COUNTS(supervisor, 0, 0, 0);
        ps_child_free(child);
    }
    ps_command *command = restarting(exiting("0"), PS_RESTART_NEVER, 0, 0);
    reap_and_free(spawn_once(NULL, command)); /* nothing that the default supervisor could not do */
    ps_supervisor_free(supervisor);
    return 0;
}
