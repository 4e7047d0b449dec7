/* Orphans of children of any supervisor, and of the NULL one, are looked after by the one that was asked; two may be asked. A blocking
   call does the work as well as taking events does. */
#include "harness.h"
#include "containment.h"

int main(void)
{
    struct escape escape[3];
    ps_supervisor *first = supervisor_new(), *second = supervisor_new();
    be_subreaper(first, 1);
    ps_child *child[3];
    for (int i = 0; i < 3; i++)
        child[i] = spawn_escape(i == 0 ? NULL : i == 1 ? first : second, escaping("daemon", &escape[i], 1), &escape[i]);
    for (int i = 0; i < 3; i++)
        CHECK_INT(reap(child[i]).code, 0);
    for (int i = 0; i < 3; i++) {
        CHECK(pump_until(first, process_gone(escape[i].pid[0]), 20000));
        ps_child_free(child[i]);
        escape_end(&escape[i]);
    }

    be_subreaper(second, 1);
    child[0] = spawn_escape(second, escaping("bomb-sessions", &escape[0], 1), &escape[0]);
    CHECK_INT(reap(child[0]).code, 0); /* until somebody has noticed its end it keeps its orphans */
    CHECK(pump_until(first, escape_alive(&escape[0]) == 0 && child_count() == 0, 20000));
    ps_child_free(child[0]);
    escape_end(&escape[0]);

    /* somebody who only waits for another child */
    child[0] = spawn_escape(first, escaping("daemon", &escape[0], 1), &escape[0]);
    child[1] = spawn_once(first, pausing());
    CHECK(wait_until((ps_reap(child[1], 20, NULL, NULL), process_gone(escape[0].pid[0])), 20000));
    kill_and_free(child[1]);
    ps_child_free(child[0]);
    escape_end(&escape[0]);

    ps_supervisor_free(second);
    ps_supervisor_free(first);
    CHECK(has_no_child());
    return 0;
}
