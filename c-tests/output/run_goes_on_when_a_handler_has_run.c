/* Signal handlers of the host run while a program is run, one of SIGCHLD among them, and do not end the wait. A host that reaps all it can
   gets its answer, too. */
/* variants: none */
#include "running.h"

#include <sys/time.h>

static volatile sig_atomic_t alarms, ends;

static void on_alarm(int signal)
{
    (void)signal;
    alarms++;
}

static void on_end(int signal)
{
    (void)signal;
    ends++;
}

int main(void)
{
    struct sigaction alarm_action = {.sa_handler = on_alarm}, end_action = {.sa_handler = on_end};
    CHECK(sigaction(SIGALRM, &alarm_action, NULL) == 0 && sigaction(SIGCHLD, &end_action, NULL) == 0);
    struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    answer all = run_once(shell("for i in 1 2 3 4 5; do echo $i; sleep 0.03; done", ""), 100);
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    CHECK(all.exit.code == 0 && alarms > 3 && ends > 0);
    CHECK_STR(all.bytes[1], "1\n2\n3\n4\n5\n");
    forget(&all);

    signal(SIGCHLD, SIG_IGN);
    ps_command *command = shell("echo said; exit 3", "");
    ps_exit exit = {.size = sizeof exit};
    ps_output *output = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_run(command, PATIENCE_MS, 100, &exit, &output, &error), error);
    all = listen_to_all(output);
    CHECK_STR(all.bytes[1], "said\n");
    forget(&all);
    CHECK(exit.kind == PS_EXIT_LOST || (exit.kind == PS_EXIT_EXITED && exit.code == 3));
    CHECK_ERROR(ps_run_checked(command, PATIENCE_MS, 100, &output, &error), PS_ERR_EXITED, &error);
    CHECK(strstr(ps_error_message(error), exit.kind == PS_EXIT_LOST ? "nobody knows" : "exit code 3") != NULL);
    ps_error_free(error);
    ps_command_free(command);
    return 0;
}
