/* A supervisor that goes takes everything of its children along, grandchildren included; what has made a session of its own survives
   (a group is as far as this containment reaches). */
/* covers: SC-9, RP-41 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    pid_t grandchild[3], daemon = 0;
    ps_supervisor *supervisor = new_supervisor(0);
    ps_child *child[4];
    for (int i = 0; i < 3; i++)
        child[i] = spawn_family(supervisor, helper_command("spawn_grandchild", "ignore-term", i == 2 ? "hold-pipe" : "", NULL),
                                &grandchild[i]);
    child[3] = spawn_family(supervisor, helper_command("spawn_grandchild", "setsid", NULL), &daemon);
    CHECK_OK(ps_terminate_begin(child[1], 60000, NULL), NULL);
    ps_supervisor_free(supervisor);
    for (int i = 0; i < 3; i++)
        CHECK(wait_until(is_dead(grandchild[i]), 20000));
    CHECK(!is_dead(daemon));
    kill(daemon, SIGKILL);
    CHECK(has_no_child());
    for (int i = 0; i < 4; i++)
        ps_child_free(child[i]);
    return 0;
}
