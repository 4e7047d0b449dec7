/* ps_command_cgroup_set: there when the child begins; a name that is none is refused at once, a value that the kernel refuses fails the
   spawn and leaves nothing. (cgroup.max.depth needs no controller.) */
#include "harness.h"
#include "containment.h"

static void set(ps_command *command, const char *file, const char *value)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_cgroup_set(command, file, value, &error), error);
}

static void refused(ps_command *command, const char *file, const char *value, ps_status status)
{
    ps_error *error = NULL;
    ps_status given = ps_command_cgroup_set(command, file, value, &error);
    if (given != status)
        harness_fail(__FILE__, __LINE__, "the setting \"%s\" gave %s", file ? file : "(null)", ps_status_name(given));
    CHECK(ps_error_status(error) == status);
    ps_error_free(error);
}

static void fails(const char *file, const char *value, ps_status status, int errno_wanted)
{
    ps_command *command = pausing();
    in_cgroup(command, cgroup_path("set"));
    set(command, "cgroup.max.descendants", "3");
    set(command, file, value);
    ps_error *error = spawn_fails(command, status);
    CHECK_STR(ps_error_step(error), "cgroup_set");
    CHECK_INT(ps_error_errno(error), errno_wanted);
    CHECK(strstr(ps_error_message(error), file));
    ps_error_free(error);
    CHECK(!exists(cgroup_path("set")));
    ps_command_free(command);
}

int main(void)
{
    ps_command *command = shell("while read line; do echo $line; done < $1/cgroup.max.depth", cgroup_path("set"));
    refused(command, "cgroup.max.depth", "7", PS_ERR_STATE); /* there is no control group yet */
    in_cgroup(command, cgroup_path("set"));
    refused(command, "", "1", PS_ERR_INVALID_ARGUMENT);
    refused(command, NULL, "1", PS_ERR_INVALID_ARGUMENT);
    refused(command, "cgroup.max.depth", NULL, PS_ERR_INVALID_ARGUMENT);
    refused(command, "../cgroup.max.depth", "1", PS_ERR_INVALID_ARGUMENT);
    refused(command, "below/cgroup.max.depth", "1", PS_ERR_INVALID_ARGUMENT);
    refused(command, "cgroup.procs", "1", PS_ERR_INVALID_ARGUMENT);
    refused(command, "cgroup.kill", "1", PS_ERR_INVALID_ARGUMENT);
    refused(command, "cgroup.threads", "1", PS_ERR_INVALID_ARGUMENT);

    set(command, "cgroup.max.depth", "7");
    set(command, "cgroup.max.depth", "9"); /* the last one counts */
    CHECK(output_is(command, "9\n"));
    CHECK(wait_until(cgroup_gone(cgroup_path("set")), 20000));
    command = pausing();
    in_cgroup(command, cgroup_path("set"));

    fails("cgroup.max.depth", "many", PS_ERR_SYSTEM, EINVAL);
    fails("no.such.setting", "1", PS_ERR_NOT_FOUND, ENOENT);
    refused(command, "..", "1", PS_ERR_INVALID_ARGUMENT);
    refused(command, ".", "1", PS_ERR_INVALID_ARGUMENT);
    ps_command_free(command);
    return 0;
}
