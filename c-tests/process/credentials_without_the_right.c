/* as-root */
/* Without the right to change the user the spawn fails with EPERM and a named step; the child never runs as somebody else. */
#include "harness.h"
#include "children.h"

static void body(void)
{
    CHECK(setgid(65534) == 0 && setuid(65534) == 0);
    ps_error *error = NULL;
    ps_command *command = command_for("/bin/sh", "-c", ":", NULL);
    CHECK_OK(ps_command_credentials(command, 0, 0, NULL, 0, &error), error);
    error = spawn_fails(command, PS_ERR_PERMISSION);
    CHECK_INT(ps_error_errno(error), EPERM);
    const char *step = ps_error_step(error);
    CHECK(strcmp(step, "setgroups") == 0 || strcmp(step, "setgid") == 0 || strcmp(step, "setuid") == 0);
    ps_error_free(error);
    CHECK(ps_live_count() == 0 && has_no_child());
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    in_forked_process(body);
    return 0;
}
