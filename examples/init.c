/*
 * A tiny init for a container: the first process of a pid namespace, which has one program to run and everybody else to bury.
 *
 *   init PROGRAM [ARGUMENTS]
 *
 * It starts the program, passes on every signal that a container engine or a terminal sends, reaps whatever loses its parent, and
 * exits with the program's own exit code (128 + the signal, if one ended it; 127 if it could not be started, as a shell does). With the
 * first process the kernel ends all others of its namespace: nothing is left.
 *
 * Made to be copied: what stands between `begin` and `end` is all that an init needs.
 *
 *   cc init.c $(pkg-config --cflags --libs procsup) -o init && sudo unshare --pid --fork --mount-proc ./init sh
 */
/* ctest: sh -c "(sleep 0.1 &) ; exit 0" */
#define _GNU_SOURCE
#include <procsup.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* ps_signal_all may be called here: it takes no lock and allocates nothing. SIGINT and the like reach the program's whole group, because
   the program leads one. */
static void pass_on(int signal_number)
{
    ps_signal_all(signal_number);
}

/* The kernel delivers only those signals to the first process of a namespace that it handles: without this SIGTERM would do
   nothing at all. */
static void handle_signals(void)
{
    static const int passed[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};
    struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
        sigaction(passed[i], &action, NULL);
}

/* procsup reaps the orphans of its children. Processes that were put into the container from outside (nsenter, "docker exec") are nobody's
   descendants here: when they lose their parent they are ours to wait for. Looking first (WNOWAIT) keeps us off the program itself. */
static void reap_strangers(pid_t program)
{
    siginfo_t ended = {0};
    while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0 && ended.si_pid != program) {
        waitpid(ended.si_pid, NULL, WNOHANG);
        ended.si_pid = 0;
    }
}

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_command *command = NULL;
    ps_child *child = NULL;
    ps_event event = {.size = sizeof event};
    int32_t program = 0;
    int code = 127;

    if (argc < 2) {
        fprintf(stderr, "usage: init PROGRAM [ARGUMENTS]\n");
        return 2;
    }

    /* begin */
    handle_signals();
    if (ps_supervisor_new(&supervisor, &error) == PS_OK && ps_supervisor_set_subreaper(supervisor, 1, &error) == PS_OK &&
        ps_command_new(argv[1], &command, &error) == PS_OK &&
        ps_command_args(command, (const char *const *)argv + 2, &error) == PS_OK &&
        ps_spawn(supervisor, command, &child, &error) == PS_OK && ps_child_pid(child, &program, &error) == PS_OK) {
        if (tcsetpgrp(STDIN_FILENO, program) == 0)
            ps_signal(child, SIGCONT, NULL); /* it may have been stopped by a look at the terminal before that was its own */
        for (;;) {
            ps_status status = ps_supervisor_next_event(supervisor, 1000, &event, &error);
            if (status == PS_OK && event.kind == PS_EVENT_EXITED)
                break;
            if (status != PS_OK && status != PS_PENDING)
                break;
            reap_strangers(program);
        }
        if (event.kind == PS_EVENT_EXITED)
            code = event.exit.kind == PS_EXIT_EXITED ? event.exit.code : 128 + event.exit.signal;
    }
    /* end */

    if (error)
        fprintf(stderr, "init: %s\n", ps_error_message(error));
    ps_child_free(child);
    ps_command_free(command);
    ps_supervisor_free(supervisor); /* kills what is left */
    ps_error_free(error);
    return code;
}
