/* signal_all goes to the whole group of every child of every supervisor: grandchildren get it too. */
/* covers: EV-4 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_supervisor *one = supervisor_new(), *two = supervisor_new();
    ps_supervisor *owner[3] = {NULL, one, two};
    ps_child *child[3];
    pid_t grandchild[3];
    for (int i = 0; i < 3; i++)
        child[i] = spawn_family(owner[i], helper_command("spawn_grandchild", NULL), &grandchild[i]);

    CHECK_STATUS(ps_signal_all(SIGTERM), PS_OK);

    for (int i = 0; i < 3; i++) {
        ps_exit end = reap(child[i]);
        CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGTERM);
        CHECK(wait_until(is_dead(grandchild[i]), 20000));
        ps_child_free(child[i]);
    }
    ps_supervisor_free(one);
    ps_supervisor_free(two);
    return 0;
}
