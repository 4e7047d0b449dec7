/* A copy of the host that lives on holds a duplicate of each pidfd, so the kernel keeps their entries in the supervisor's set when the host has
   closed its own. Who has ended is told of once all the same, and wakes nobody any more; those who come after are told of, too. */
/* variants: none */
#include "harness.h"
#include "supervising.h"

enum { CHILDREN = 70 };

static void end_and_be_told(ps_supervisor *supervisor, int fd, ps_child **children)
{
    for (int i = 0; i < CHILDREN; i++)
        CHECK_OK(ps_signal(children[i], SIGKILL, NULL), NULL);
    for (int i = 0; i < CHILDREN; i++)
        take_event(supervisor, PS_EVENT_EXITED);
    CHECK(!readable(fd, 0));
    for (int i = 0; i < CHILDREN; i++)
        ps_child_free(children[i]);
}

static void start(ps_supervisor *supervisor, ps_command *command, ps_child **children)
{
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = spawn(supervisor, command);
        take_event(supervisor, PS_EVENT_STARTED);
    }
}

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    ps_command *command = pausing();
    ps_child *children[CHILDREN];
    int fd = fd_of(supervisor), hold[2];
    start(supervisor, command, children);
    CHECK(pipe2(hold, O_CLOEXEC) == 0);
    pid_t copy = fork();
    CHECK(copy >= 0);
    if (copy == 0) {
        char byte;
        close(hold[1]);
        _exit((int)read(hold[0], &byte, 1));
    }
    end_and_be_told(supervisor, fd, children);
    start(supervisor, command, children);
    end_and_be_told(supervisor, fd, children);
    close(hold[1]);
    int status = 0;
    CHECK(waitpid(copy, &status, 0) == copy && status == 0);
    close(hold[0]);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    return 0;
}
