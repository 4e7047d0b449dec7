/* The child runs by the policy that it is given, with its nice value beside it, and real time with its priority where the host may: also as another
   user, and shut in on one processor with a host that makes it from a thread. */
/* variants: few */
#include "harness.h"
#include "children.h"

static ps_error *error;

static ps_command *running(int policy, int priority)
{
    ps_command *command = helper_command("show_scheduling", NULL);
    CHECK_OK(ps_command_scheduling(command, policy, priority, &error), error);
    return command;
}

static void shows(ps_command *command, const char *policy, int priority, int nice)
{
    char *text = output_of(command);
    CHECK_STR(line_after(text, "policy="), policy);
    CHECK_INT(number_of(text, "priority"), priority);
    CHECK_INT(number_of(text, "nice"), nice);
    free(text);
}

static ps_command *nicer(ps_command *command)
{
    CHECK_OK(ps_command_nice(command, 7, &error), error);
    return command;
}

static void *from_a_thread(void *unused)
{
    ps_command *command = running(PS_SCHED_FIFO, 50);
    CHECK_OK(ps_command_affinity(command, (const uint32_t[]){0}, 1, &error), error);
    CHECK_OK(ps_command_die_with_host(command, 1, &error), error);
    shows(command, "FIFO", 50, 0);
    return unused;
}

static void in_real_time(void)
{
    shows(running(PS_SCHED_FIFO, 1), "FIFO", 1, 0);
    shows(running(PS_SCHED_RR, 99), "RR", 99, 0);
    shows(nicer(running(PS_SCHED_RR, 3)), "RR", 3, 7);

    /* A limit says what it may do later, not what the host may give it. */
    ps_command *command = running(PS_SCHED_FIFO, 9);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_RTPRIO, 0, 0, &error), error);
    CHECK_OK(ps_command_credentials(command, 65534, 65534, NULL, 0, &error), error);
    shows(command, "FIFO", 9, 0);

    /* Nobody inherits it who is told otherwise. */
    struct sched_param param = {.sched_priority = 1};
    CHECK(sched_setscheduler(0, SCHED_RR, &param) == 0);
    shows(running(PS_SCHED_INHERIT, 0), "RR", 1, 0);
    shows(running(PS_SCHED_OTHER, 0), "OTHER", 0, 0);
    CHECK(sched_getscheduler(0) == SCHED_RR);
    param.sched_priority = 0;
    CHECK(sched_setscheduler(0, SCHED_OTHER, &param) == 0);

    pthread_t thread;
    thread_start(&thread, from_a_thread, NULL);
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(void)
{
    shows(helper_command("show_scheduling", NULL), "OTHER", 0, 0);
    shows(running(PS_SCHED_INHERIT, 0), "OTHER", 0, 0);
    shows(running(PS_SCHED_OTHER, 0), "OTHER", 0, 0);
    shows(running(PS_SCHED_BATCH, 0), "BATCH", 0, 0);
    shows(running(PS_SCHED_IDLE, 0), "IDLE", 0, 0);
    shows(nicer(running(PS_SCHED_BATCH, 0)), "BATCH", 0, 7);
    shows(nicer(running(PS_SCHED_OTHER, 0)), "OTHER", 0, 7);

    ps_command *command = running(PS_SCHED_BATCH, 0);
    static const int wrong[][2] = {{PS_SCHED_OTHER, 1}, {PS_SCHED_INHERIT, 1}, {PS_SCHED_IDLE, -1}, {PS_SCHED_FIFO, 0},
                                   {PS_SCHED_FIFO, 100}, {PS_SCHED_RR, -1}, {PS_SCHED_RR, 257}, {6, 0}, {-1, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_STATUS(ps_command_scheduling(command, wrong[i][0], wrong[i][1], NULL), PS_ERR_INVALID_ARGUMENT);
    shows(command, "BATCH", 0, 0); /* as it was */

    struct sched_param param = {.sched_priority = 1};
    if (geteuid() == 0 && sched_setscheduler(0, SCHED_RR, &param) == 0) {
        param.sched_priority = 0;
        CHECK(sched_setscheduler(0, SCHED_OTHER, &param) == 0);
        in_real_time();
    }
    CHECK(has_no_child() && ps_live_count() == 0);
    return 0;
}
