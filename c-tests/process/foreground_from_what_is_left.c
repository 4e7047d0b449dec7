/* A child that was a shell and is dead has left a job in the foreground: the place is the host's again. But what the host's own shell has put there
   meanwhile, itself or another job, keeps it. */
/* variants: none */
#include "terminals.h"

static int terminal = -1;

static pid_t in_front(void)
{
    pid_t group = -1;
    CHECK(ioctl(terminal, TIOCGPGRP, &group) == 0);
    return group;
}

static void put_in_front(pid_t group)
{
    sigset_t stops, before;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTTOU);
    CHECK(sigprocmask(SIG_BLOCK, &stops, &before) == 0 && ioctl(terminal, TIOCSPGRP, &group) == 0);
    CHECK(sigprocmask(SIG_SETMASK, &before, NULL) == 0);
}

static ps_child *lent(ps_supervisor *supervisor, ps_command *command)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_foreground(command, 1, &error), error);
    return spawn_once(supervisor, command);
}

static void opens_terminal(void)
{
    terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
    CHECK(terminal >= 0);
}

static bool has_put_another_there(pid_t child)
{
    pid_t front = in_front();
    return front != child && front != getpgrp() && kill(-front, 0) == 0;
}

static int host_of(ps_supervisor *supervisor)
{
    ps_error *error = NULL;
    int32_t pid = 0;
    opens_terminal();
    ps_child *child = lent(supervisor, command_for("bash", "--norc", "--noprofile", "-ic", "sleep 1000; true", NULL));
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    CHECK(wait_until(has_put_another_there(pid), 10000));
    pid_t job = in_front();
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    /* The job is no longer in front, though it may be there yet: who reads is not stopped. */
    CHECK_INT(in_front(), getpgrp());
    char line[16] = "";
    CHECK(read(terminal, line, sizeof line) == 4);
    kill(-job, SIGKILL);
    return 11;
}

static int host(void) { return host_of(NULL); }

/* It adopts the job, which looks like another child of its own. */
static int host_that_adopts(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    CHECK_OK(ps_supervisor_set_subreaper(supervisor, 1, &error), error);
    return host_of(supervisor);
}

/* In a group of its own: a job of a shell. */
static pid_t job(int (*does)(void))
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        setpgid(0, 0);
        _exit(does());
    }
    CHECK(setpgid(pid, pid) == 0 || errno == EACCES);
    return pid;
}

static int asked[2], answer[2];

static int pauses(void)
{
    for (;;)
        pause();
    return 0;
}

static int job_that_lends(void)
{
    ps_error *error = NULL;
    char byte;
    opens_terminal();
    for (int round = 0; round < 2; round++) {
        CHECK(read(asked[0], &byte, 1) == 1);
        ps_child *child = lent(NULL, pausing());
        CHECK(write(answer[1], "x", 1) == 1 && read(asked[0], &byte, 1) == 1);
        CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
        ps_child_free(child);
        CHECK(write(answer[1], "x", 1) == 1);
    }
    return 0;
}

static int own_shell(void)
{
    char byte;
    int status = 0;
    opens_terminal();
    CHECK(pipe2(asked, O_CLOEXEC) == 0 && pipe2(answer, O_CLOEXEC) == 0);
    pid_t other = job(pauses), lending = job(job_that_lends), takers[] = {other, getpgrp()};
    for (int round = 0; round < 2; round++) {
        put_in_front(lending);
        CHECK(write(asked[1], "x", 1) == 1 && read(answer[0], &byte, 1) == 1);
        CHECK(in_front() != lending);
        put_in_front(takers[round]);
        CHECK(write(asked[1], "x", 1) == 1 && read(answer[0], &byte, 1) == 1);
        CHECK_INT(in_front(), takers[round]);
    }
    CHECK(waitpid(lending, &status, 0) == lending && status == 0);
    CHECK(kill(other, SIGKILL) == 0 && waitpid(other, &status, 0) == other);
    return 12;
}

int main(void)
{
    int master;
    program_or_skip("bash");
    pid_t pid = 0;
    int (*hosts[])(void) = {host, host_that_adopts};
    for (size_t i = 0; i < 2; i++) {
        pid = host_on_terminal(hosts[i], &master);
        types(master, "yes\n");
        CHECK_INT(host_ends(pid), 11);
        close(master);
    }
    pid = host_on_terminal(own_shell, &master);
    CHECK_INT(host_ends(pid), 12);
    close(master);
    return 0;
}
