/* The subreaper flag changes only through the call that names it, and can be taken back. */
/* covers: LAW-1, D-14 */
#include "harness.h"
#include "children.h"
#include <sys/prctl.h>

static int subreaper(void)
{
    int on = -1;
    prctl(PR_GET_CHILD_SUBREAPER, &on, 0, 0, 0);
    return on;
}

int main(void)
{
    CHECK(subreaper() == 0);
    ps_supervisor *supervisor = supervisor_new();
    reap_and_free(spawn_once(supervisor, exiting("0")));
    CHECK(subreaper() == 0);
    ps_supervisor_free(supervisor);
    CHECK(subreaper() == 0);

    /* and the host's own choice stays */
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
    supervisor = supervisor_new();
    reap_and_free(spawn_once(supervisor, exiting("0")));
    ps_supervisor_free(supervisor);
    CHECK(subreaper() == 1);
    return 0;
}
