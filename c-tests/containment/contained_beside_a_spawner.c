/* variants: none */
/* A spawner makes no namespaces: its supervisor makes contained children by itself, beside those that the spawner makes. */
#include "harness.h"
#include "contained.h"
#include "spawning.h"

int main(void)
{
    need_contained();
    ps_supervisor *supervisor = spawner_supervisor();
    for (int i = 0; i < 3; i++) {
        ps_child *child = spawn_once(supervisor, contained(exiting("5")));
        CHECK_INT(reap(child).code, 5);
        ps_child_free(child);
        child = spawn_once(supervisor, exiting("6"));
        CHECK_INT(reap(child).code, 6);
        ps_child_free(child);
    }
    CHECK(only_the_spawner_is_left());
    ps_supervisor_free(supervisor);
    return 0;
}
