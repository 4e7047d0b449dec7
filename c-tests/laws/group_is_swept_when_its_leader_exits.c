/* A leader that exits leaves nobody: its group is killed before it is reaped. */
/* covers: LAW-9, P1, D-3 */
#include "harness.h"
#include "children.h"

int main(void)
{
    for (int i = 0; i < 10; i++) { /* whichever call reaps it */
        pid_t grandchild;
        ps_child *child = spawn_family(NULL, helper_command("spawn_grandchild", "exit=5", NULL), &grandchild);
        CHECK(i % 2 == 0 || wait_until(ps_reap_nonblock(child, NULL, NULL) == PS_OK, 20000));
        ps_exit end = reap(child);
        CHECK(end.kind == PS_EXIT_EXITED && end.code == 5 && end.cause == PS_CAUSE_SELF);
        CHECK(wait_until(is_dead(grandchild), 20000));
        ps_child_free(child);
    }
    return 0;
}
