/* The foreground of the host's terminal is the child's before its program begins, and the host's again when it has ended: also where it could not
   begin, and where the host is in the background by then, which is not stopped for it. From the background nothing is taken. */
/* variants: tiers */
#include "terminals.h"

static int terminal = -1;

static pid_t in_front(void)
{
    pid_t group = -1;
    CHECK(ioctl(terminal, TIOCGPGRP, &group) == 0);
    return group;
}

static ps_command *in_the_foreground(ps_command *command)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_foreground(command, 1, &error), error);
    return command;
}

static int host(void)
{
    ps_error *error = NULL;
    int32_t pid = 0, out = -1;
    char line[64];
    terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
    CHECK(terminal >= 0);
    warm_up();
    leak_guard guard = leak_guard_begin();
    CHECK_INT(in_front(), getpid());

    /* It reads there at once, and is not stopped for that. */
    ps_command *command = in_the_foreground(shell("read a; echo \"got $a\"", NULL));
    set_stdio(command, 0, PS_STDIO_FD, terminal);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    CHECK_INT(in_front(), pid);
    CHECK_OK(ps_child_stdio(child, 1, &out, &error), error);
    CHECK(read_line(out, line, sizeof line));
    CHECK_STR(line, "got ready");
    close(out);
    must_end(child, 0);
    CHECK_INT(in_front(), getpid());
    ps_child_free(child);

    /* It cannot begin. */
    command = in_the_foreground(command_for("/no/such/program", NULL));
    error = spawn_fails(command, PS_ERR_NOT_FOUND);
    ps_error_free(error);
    ps_command_free(command);
    CHECK_INT(in_front(), getpid());

    /* The second of two does not take it from the first. */
    command = in_the_foreground(pausing());
    child = spawn(NULL, command);
    ps_child *second = spawn_once(NULL, command);
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    CHECK_INT(in_front(), pid);
    CHECK_OK(ps_terminate(second, 0, NULL, &error), error);
    ps_child_free(second);
    CHECK_INT(in_front(), pid);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    CHECK_INT(in_front(), getpid());

    /* Who has got it meanwhile keeps it. */
    ps_child *other = spawn_once(NULL, pausing());
    child = spawn_once(NULL, in_the_foreground(pausing()));
    CHECK_OK(ps_child_pid(other, &pid, &error), error);
    sigset_t stops, before;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTTOU);
    CHECK(sigprocmask(SIG_BLOCK, &stops, &before) == 0 && ioctl(terminal, TIOCSPGRP, &pid) == 0);
    CHECK(sigprocmask(SIG_SETMASK, &before, NULL) == 0);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    CHECK_INT(in_front(), pid);
    /* From the background nothing is taken. */
    child = spawn_once(NULL, in_the_foreground(exiting("0")));
    CHECK_INT(in_front(), pid);
    must_end(child, 0);
    ps_child_free(child);
    CHECK_INT(in_front(), pid);
    CHECK_OK(ps_terminate(other, 0, NULL, &error), error);
    ps_child_free(other);

    /* The place is empty now: the next one may have it, and the mask is what it was. */
    child = spawn_once(NULL, in_the_foreground(exiting("0")));
    must_end(child, 0);
    ps_child_free(child);
    CHECK_INT(in_front(), getpid());
    CHECK(sigprocmask(SIG_SETMASK, NULL, &stops) == 0 && !sigismember(&stops, SIGTTOU));
    leak_guard_end(&guard);
    return 11;
}

static int without_a_terminal(void)
{
    ps_error *error = NULL;
    CHECK(ioctl(0, TIOCNOTTY, 0) == 0);
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_command *command = in_the_foreground(exiting("0"));
    error = spawn_fails(command, PS_ERR_NOT_FOUND);
    CHECK_STR(ps_error_step(error), PS_STEP_FOREGROUND);
    CHECK_INT(ps_error_errno(error), ENXIO);
    ps_error_free(error);
    ps_command_free(command);
    leak_guard_end(&guard);
    return 12;
}

int main(void)
{
    int master;
    pid_t pid = host_on_terminal(host, &master);
    types(master, "ready\n");
    CHECK_INT(host_ends(pid), 11);
    close(master);
    signal(SIGHUP, SIG_IGN);
    pid = host_on_terminal(without_a_terminal, &master);
    CHECK_INT(host_ends(pid), 12);
    close(master);
    return 0;
}
