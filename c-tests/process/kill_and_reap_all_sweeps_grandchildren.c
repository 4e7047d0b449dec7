/* A grandchild in the group of a child dies with it, also when it ignores the signals that can be ignored. */
/* covers: EV-5, RP-37 */
#include "harness.h"
#include "children.h"

int main(void)
{
    pid_t grandchild;
    ps_child *child = spawn_family(NULL, helper_command("spawn_grandchild", "ignore-term", NULL), &grandchild);
    CHECK_INT(getpgid(grandchild), pid_of(child));

    CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);

    CHECK(wait_until(is_dead(grandchild), 20000));
    ps_child_free(child);
    return 0;
}
