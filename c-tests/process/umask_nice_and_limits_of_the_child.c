/* umask, nice value and resource limits are set in the child. */
/* covers: RP-39, RP-49 */
/* variants: not valgrind: it keeps the limits of the process for itself */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    umask(077);
    ps_command *command = helper_command("show_ids", NULL);
    char *text = output_of(command);
    CHECK_STR(line_after(text, "umask="), "077");
    CHECK_INT(number_of(text, "no_new_privs"), 0);
    CHECK_INT(number_of(text, "pdeathsig"), 0);
    free(text);

    int nice_before = getpriority(PRIO_PROCESS, 0);
    command = helper_command("show_ids", NULL);
    CHECK_OK(ps_command_umask(command, 0, &error), error);
    CHECK_OK(ps_command_nice(command, 19, &error), error);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_NOFILE, 64, 128, &error), error);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_CORE, 0, 0, &error), error);
    CHECK_OK(ps_command_no_new_privs(command, 1, &error), error);
    text = output_of(command);
    CHECK_STR(line_after(text, "umask="), "0");
    CHECK_INT(number_of(text, "nice"), 19);
    CHECK_STR(line_after(text, "nofile="), "64:128");
    CHECK_STR(line_after(text, "core="), "0:0");
    CHECK_INT(number_of(text, "no_new_privs"), 1);
    free(text);
    CHECK_INT(getpriority(PRIO_PROCESS, 0), nice_before);

    command = exiting("0");
    CHECK_STATUS(ps_command_umask(command, 01000, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_nice(command, 20, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_nice(command, -21, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_rlimit(command, -1, 0, 0, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_rlimit(command, 1000, 0, 0, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_rlimit(command, RLIMIT_NOFILE, 2, 1, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_command_free(command);
    return 0;
}
