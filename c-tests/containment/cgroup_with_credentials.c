/* as-root */
/* Another user inside a control group of the host: it joins before it loses the right to, it is that user, and it cannot leave. */
#include "harness.h"
#include "containment.h"

static const char script[] =
    "while read key value rest; do case $key in Uid:) echo $value;; esac; done < /proc/self/status\n"
    "while read line; do case $line in 0::*) echo ${line##*/};; esac; done < /proc/self/cgroup\n"
    "(echo 0 > $1/cgroup.procs) 2> /dev/null && echo left || echo stays\n";

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    ps_error *error = NULL;
    ps_command *command = shell(script, cgroup_root());
    in_cgroup(command, cgroup_path("user"));
    CHECK_OK(ps_command_credentials(command, 54321, 54321, NULL, 0, &error), error);
    CHECK(output_is(command, "54321\nuser\nstays\n"));
    CHECK(wait_until(cgroup_gone(cgroup_path("user")), 20000));

    /* its daemon, too, dies with it */
    struct escape escape;
    command = escaping("daemon", &escape, 1);
    write_file(escape.file, "", 0666);
    in_cgroup(command, cgroup_path("user"));
    CHECK_OK(ps_command_credentials(command, 54321, 54321, NULL, 0, &error), error);
    reap_and_free(spawn_escape(NULL, command, &escape));
    CHECK_INT(escape_survivors(&escape), 0);
    escape_end(&escape);
    return 0;
}
