/* Without isolation the child stays in the host's group; group-wide calls then reach the child alone, never the host. */
/* covers: EV-8 */
#include "harness.h"
#include "children.h"

static volatile sig_atomic_t host_was_signalled;

static void remember(int signal)
{
    (void)signal;
    host_was_signalled = 1;
}

int main(void)
{
    signal(SIGTERM, remember);
    ps_error *error = NULL;
    ps_command *command = pausing();
    CHECK_OK(ps_command_isolate(command, PS_ISOLATE_NONE, &error), error);
    ps_child *one = spawn(NULL, command), *two = spawn(NULL, command), *three = spawn(NULL, command);
    CHECK(getpgid(pid_of(one)) == getpgrp());

    CHECK_OK(ps_signal(one, SIGTERM, &error), error);
    CHECK(reap(one).signal == SIGTERM);
    CHECK(terminate(two, -1).signal == SIGTERM);
    CHECK(ps_signal_all(SIGTERM) == PS_OK);
    CHECK(reap(three).signal == SIGTERM);

    CHECK(!host_was_signalled);
    ps_command_free(command);
    ps_child_free(one);
    ps_child_free(two);
    ps_child_free(three);
    return 0;
}
