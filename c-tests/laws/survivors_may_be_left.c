/* PS_SURVIVORS_LEAVE opts out of the sweep: the grandchild lives on in the group of the reaped leader. */
/* covers: LAW-9 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    pid_t grandchild;
    ps_command *command = helper_command("spawn_grandchild", "exit", NULL);
    CHECK_OK(ps_command_survivors(command, PS_SURVIVORS_LEAVE, &error), error);
    ps_child *child = spawn_family(NULL, command, &grandchild);
    pid_t leader = pid_of(child);
    CHECK_INT(reap(child).code, 0);
    CHECK(process_gone(leader));
    ps_child_free(child);

    /* a later spawn and reap must not sweep it either */
    warm_up();
    CHECK(!is_dead(grandchild));
    CHECK_INT(getpgid(grandchild), leader);
    kill(grandchild, SIGKILL);
    return 0;
}
