/* as-root */
/* variants: none */
/* Without the right to it a real-time policy is EPERM of a named step; RLIMIT_RTPRIO gives the right, as far as it goes and the command leaves it. */
#include "harness.h"
#include "children.h"

static ps_error *error;

static ps_command *running(int priority)
{
    ps_command *command = helper_command("show_scheduling", NULL);
    CHECK_OK(ps_command_scheduling(command, PS_SCHED_FIFO, priority, &error), error);
    return command;
}

static void is_refused(ps_command *command)
{
    error = spawn_fails(command, PS_ERR_PERMISSION);
    CHECK_INT(ps_error_errno(error), EPERM);
    CHECK_STR(ps_error_step(error), PS_STEP_SCHED_SETSCHEDULER);
    CHECK(strstr(ps_error_message(error), "RLIMIT_RTPRIO") != NULL);
    ps_error_free(error);
    error = NULL;
    ps_command_free(command);
    CHECK(ps_live_count() == 0 && has_no_child());
}

static void body(void)
{
    struct sched_param param = {.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_RR, &param) != 0)
        SKIP("root may not have real time here");
    param.sched_priority = 0;
    CHECK(sched_setscheduler(0, SCHED_OTHER, &param) == 0);
    struct rlimit limit = {0, 10};
    bool may = setrlimit(RLIMIT_RTPRIO, &limit) == 0; /* not where root has no CAP_SYS_RESOURCE */
    CHECK(setgid(65534) == 0 && setuid(65534) == 0);
    is_refused(running(5));
    if (!may)
        return;

    ps_command *command = running(5);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_RTPRIO, 10, 10, &error), error);
    char *text = output_of(command);
    CHECK_STR(line_after(text, "policy="), "FIFO");
    CHECK_INT(number_of(text, "priority"), 5);
    free(text);

    command = running(11);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_RTPRIO, 10, 10, &error), error);
    is_refused(command);
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    in_forked_process(body);
    return 0;
}
