/* The leader dies of TERM at once, its grandchild ignores TERM. The ladder ends with the leader, the sweep takes the rest. */
/* covers: LAW-9, EV-11, P1, D-4 */
#include "harness.h"
#include "children.h"

int main(void)
{
    pid_t grandchild;
    ps_child *child = spawn_family(NULL, helper_command("spawn_grandchild", "ignore-term", NULL), &grandchild);
    int64_t start = now_ms();
    ps_exit end = terminate(child, 600000);
    CHECK(end.signal == SIGTERM && now_ms() - start < PATIENCE_MS);
    CHECK(wait_until(is_dead(grandchild), 20000));
    ps_child_free(child);
    return 0;
}
