/* ps_supervisor_free, which may be the last call of a program: twenty children with a daemon each, and no process and no directory is
   left. */
#include "harness.h"
#include "containment.h"

enum { CHILDREN = 20 };

int main(void)
{
    static struct escape escape[CHILDREN];
    ps_supervisor *supervisor = supervisor_new();
    for (int i = 0; i < CHILDREN; i++) {
        ps_command *command = escaping(i % 2 ? "daemon" : "bomb-sessions", &escape[i], 0);
        in_cgroup(command, cgroup_path(""));
        ps_child_free(spawn_escape(supervisor, command, &escape[i]));
    }
    CHECK_INT(subdirectories(cgroup_root()), CHILDREN);
    ps_supervisor_free(supervisor);
    CHECK_INT(subdirectories(cgroup_root()), 0);
    for (int i = 0; i < CHILDREN; i++) {
        CHECK_INT(escape_survivors(&escape[i]), 0);
        escape_end(&escape[i]);
    }
    return 0;
}
