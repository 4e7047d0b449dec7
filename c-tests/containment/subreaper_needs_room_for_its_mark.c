/* A host that has a real limit RLIMIT_RTTIME cannot mark its children: PS_ERR_PERMISSION, and it is no subreaper. */
#include "harness.h"
#include "containment.h"
#include <sys/prctl.h>

int main(void)
{
    struct rlimit hour = {3600000000ul, 3600000000ul};
    ps_error *error = NULL;
    CHECK(setrlimit(RLIMIT_RTTIME, &hour) == 0);
    ps_supervisor *supervisor = supervisor_new();
    CHECK_ERROR(ps_supervisor_set_subreaper(supervisor, 1, &error), PS_ERR_PERMISSION, &error);
    CHECK_STR(ps_error_step(error), "RLIMIT_RTTIME");
    ps_error_free(error);
    int on = -1;
    prctl(PR_GET_CHILD_SUBREAPER, &on, 0, 0, 0);
    CHECK_INT(on, 0);
    CHECK_INT(reap(spawn_once(supervisor, exiting("3"))).code, 3);
    ps_supervisor_free(supervisor);
    return 0;
}
