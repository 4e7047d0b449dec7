/* The sweep belongs to the exit, not to a call: next_event does it as well, and so does freeing the supervisor. */
/* covers: LAW-9 */
#include "harness.h"
#include "children.h"

int main(void)
{
    pid_t grandchild;
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_family(supervisor, helper_command("spawn_grandchild", "exit=5", NULL), &grandchild);
    take_event(supervisor, PS_EVENT_STARTED);
    ps_event event = take_event(supervisor, PS_EVENT_EXITED);
    CHECK_INT(event.exit.code, 5);
    CHECK(wait_until(is_dead(grandchild), 20000));
    ps_child_free(child);

    child = spawn_family(supervisor, helper_command("spawn_grandchild", "ignore-term", NULL), &grandchild);
    ps_supervisor_free(supervisor);
    CHECK(wait_until(is_dead(grandchild), 20000));
    ps_child_free(child);
    return 0;
}
