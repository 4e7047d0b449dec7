/* PS_SURVIVORS_LEAVE under a subreaper: orphans outlive their child and the supervisor, and are reaped when they die. */
#include "harness.h"
#include "containment.h"

int main(void)
{
    struct escape left, other;
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    be_subreaper(supervisor, 1);
    ps_command *command = escaping("daemon", &left, 1);
    CHECK_OK(ps_command_survivors(command, PS_SURVIVORS_LEAVE, &error), error);
    ps_child *child = spawn_escape(supervisor, command, &left);
    reap_and_free(child);

    /* a look has taken place when this one is gone */
    child = spawn_escape(supervisor, escaping("daemon", &other, 1), &other);
    CHECK(pump_until(supervisor, process_gone(other.pid[0]), 20000));
    ps_child_free(child);
    escape_end(&other);
    CHECK_INT(escape_survivors(&left), 1);

    /* reaped when it dies */
    kill(left.pid[0], SIGKILL);
    CHECK(pump_until(supervisor, process_gone(left.pid[0]), 20000));
    escape_end(&left);

    /* the end of the supervisor does not end it either */
    command = escaping("daemon", &left, 0);
    CHECK_OK(ps_command_survivors(command, PS_SURVIVORS_LEAVE, &error), error);
    ps_child_free(spawn_escape(supervisor, command, &left));
    ps_supervisor_free(supervisor);
    CHECK_INT(escape_survivors(&left), 1);
    escape_end(&left);
    wait_for(left.pid[0]);
    return 0;
}
