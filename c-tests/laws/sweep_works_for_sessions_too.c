/* A child in a session of its own is a group leader as well; its group is swept. */
/* covers: LAW-9 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    pid_t grandchild;
    ps_command *command = helper_command("spawn_grandchild", "exit", NULL);
    CHECK_OK(ps_command_isolate(command, PS_ISOLATE_SESSION, &error), error);
    ps_child *child = spawn_family(NULL, command, &grandchild);
    CHECK_INT(reap(child).code, 0);
    CHECK(wait_until(is_dead(grandchild), 20000));
    ps_child_free(child);
    return 0;
}
