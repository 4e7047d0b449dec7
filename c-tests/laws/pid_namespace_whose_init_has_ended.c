/* After unshare(CLONE_NEWPID) the host's first child is the init of a new pid namespace, and when that has ended nobody can be made there any
   more. The kernel says "out of memory", which invites to try again: the library says what it is. Back in the host's own namespace all works. */
/* covers: F15 */
/* variants: not asan, valgrind: neither works in a pid namespace of the test */
#include "harness.h"
#include "children.h"

static void cannot_spawn(ps_command *command)
{
    ps_error *error = spawn_fails(command, PS_ERR_STATE);
    CHECK_INT(ps_error_errno(error), ENOMEM);
    CHECK(strstr(ps_error_message(error), "pid namespace") != NULL);
    ps_error_free(error);
    ps_command_free(command);
}

int main(void)
{
    int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    if (own < 0 || unshare(CLONE_NEWPID) != 0)
        SKIP("no pid namespace here");
    ps_child *init = spawn_once(NULL, pausing());
    pid_t killed = pid_of(init);
    CHECK(kill(killed, SIGKILL) == 0);
    CHECK(wait_until(is_dead(killed), 20000));
    cannot_spawn(exiting("7")); /* its zombie is there still */
    reap_and_free(init);
    cannot_spawn(exiting("7"));
    if (getuid() == 0) {
        ps_error *error = NULL;
        ps_command *command = exiting("7");
        CHECK_OK(ps_command_credentials(command, 65534, 65534, NULL, 0, &error), error);
        cannot_spawn(command);
    }
    CHECK(setns(own, CLONE_NEWPID) == 0);
    ps_child *child = spawn_once(NULL, exiting("7"));
    CHECK_INT(reap(child).code, 7);
    ps_child_free(child);
    return 0;
}
