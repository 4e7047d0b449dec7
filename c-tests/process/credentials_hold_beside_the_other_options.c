/* as-root */
/* The order of the steps: what needs root is done before the user changes (nice, rlimits), what the user change would undo, after it. */
/* variants: not valgrind: it keeps the limits of the process for itself */
#include "harness.h"
#include "children.h"

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    ps_error *error = NULL;
    ps_command *command = helper_command("show_ids", NULL);
    CHECK_OK(ps_command_credentials(command, 54321, 54321, NULL, 0, &error), error);
    CHECK_OK(ps_command_nice(command, -3, &error), error);
    CHECK_OK(ps_command_umask(command, 027, &error), error);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_NOFILE, 100, 200, &error), error);
    CHECK_OK(ps_command_no_new_privs(command, 1, &error), error);
    CHECK_OK(ps_command_die_with_host(command, 1, &error), error);
    CHECK_OK(ps_command_cwd(command, "/", &error), error);
    CHECK_OK(ps_command_isolate(command, PS_ISOLATE_SESSION, &error), error);
    char *text = output_of(command);
    CHECK_INT(number_of(text, "uid"), 54321);
    CHECK_INT(number_of(text, "egid"), 54321);
    CHECK_INT(number_of(text, "nice"), -3);
    CHECK_STR(line_after(text, "umask="), "027");
    CHECK_STR(line_after(text, "nofile="), "100:200");
    CHECK_INT(number_of(text, "no_new_privs"), 1);
    CHECK_INT(number_of(text, "pdeathsig"), SIGKILL); /* a change of the user clears it: it must be set after that */
    CHECK_STR(line_after(text, "cwd="), "/");
    CHECK_INT(number_of(text, "sid"), number_of(text, "pid"));
    free(text);
    return 0;
}
