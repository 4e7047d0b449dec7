/* A subreaper gets the orphans of its children. While the child lives they are left alone, and reaped when they die; when it has
   ended they are killed, and leave no zombie. */
/* covers: P7 */
#include "harness.h"
#include "containment.h"

int main(void)
{
    struct escape first, second;
    ps_supervisor *supervisor = supervisor_new();
    be_subreaper(supervisor, 1);
    ps_child *one = spawn_escape(supervisor, escaping("daemon", &first, 0), &first);
    ps_child *two = spawn_escape(supervisor, escaping("bare", &second, 0), &second);

    /* They are children of ours now. One that dies by itself is reaped while its child lives. */
    CHECK_INT(child_count(), 4);
    kill(first.pid[0], SIGKILL);
    CHECK(pump_until(supervisor, process_gone(first.pid[0]), 20000));
    CHECK(!is_dead(pid_of(one)));
    CHECK_INT(escape_survivors(&second), 1);

    /* The end of a child is not the end of another child's orphans. */
    kill_and_free(one);
    struct escape third;
    ps_child *three = spawn_escape(supervisor, escaping("daemon", &third, 1), &third);
    CHECK(pump_until(supervisor, process_gone(third.pid[0]), 20000)); /* a look has taken place since */
    CHECK_INT(escape_survivors(&second), 1);

    /* A child that is still there keeps its orphans, one that has ended takes them along. */
    terminate(two, -1);
    CHECK(pump_until(supervisor, process_gone(second.pid[0]), 20000));
    CHECK_INT(zombie_count(), 0);
    CHECK(has_no_child());

    ps_child_free(two);
    ps_child_free(three);
    ps_supervisor_free(supervisor);
    escape_end(&first);
    escape_end(&second);
    escape_end(&third);
    return 0;
}
