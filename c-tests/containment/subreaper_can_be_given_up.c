/* The flag goes on and off by the call, twice in a row too; afterwards orphans are init's again. A wrong value changes nothing. */
#include "harness.h"
#include "containment.h"
#include <sys/prctl.h>

static int is_subreaper(void)
{
    int on = -1;
    prctl(PR_GET_CHILD_SUBREAPER, &on, 0, 0, 0);
    return on;
}

int main(void)
{
    struct escape escape;
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    CHECK_ERROR(ps_supervisor_set_subreaper(supervisor, 2, &error), PS_ERR_INVALID_ARGUMENT, &error);
    ps_error_free(error);
    CHECK_INT(is_subreaper(), 0);
    for (int i = 0; i < 3; i++) {
        be_subreaper(supervisor, 1);
        be_subreaper(supervisor, 1);
        CHECK_INT(is_subreaper(), 1);
        be_subreaper(supervisor, 0);
        be_subreaper(supervisor, 0);
        CHECK_INT(is_subreaper(), 0);
    }

    ps_child *child = spawn_escape(supervisor, escaping("daemon", &escape, 1), &escape);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
    CHECK_INT(child_count(), 0);
    CHECK_INT(escape_survivors(&escape), 1); /* as it is without a subreaper */
    escape_end(&escape);

    /* and on again: it works again */
    be_subreaper(supervisor, 1);
    child = spawn_escape(supervisor, escaping("daemon", &escape, 1), &escape);
    CHECK(pump_until(supervisor, process_gone(escape.pid[0]), 20000));
    ps_child_free(child);
    escape_end(&escape);

    /* the flag stays with the process, and another supervisor takes over */
    ps_supervisor_free(supervisor);
    CHECK_INT(is_subreaper(), 1);
    supervisor = supervisor_new();
    be_subreaper(supervisor, 1);
    child = spawn_escape(supervisor, escaping("daemon", &escape, 1), &escape);
    CHECK(pump_until(supervisor, process_gone(escape.pid[0]), 20000));
    ps_child_free(child);
    escape_end(&escape);
    ps_supervisor_free(supervisor);
    CHECK(has_no_child());
    return 0;
}
