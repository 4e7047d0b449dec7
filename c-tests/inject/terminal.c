/* Faults while a child gets a terminal of the caller's, and the foreground of the host's: it has it or is refused, and the host has its own again. */
/* variants: none */
/* share: 5 */
#include "scenario.h"

#include <sys/ioctl.h>

static int new_terminal(int *slave)
{
    int unlocked = 0, master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(master >= 0 && ioctl(master, TIOCSPTLCK, &unlocked) == 0);
    *slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(*slave >= 0);
    return master;
}

static int in_front(int fd)
{
    int group = -1;
    CHECK(ioctl(fd, TIOCGPGRP, &group) == 0);
    return group;
}

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    int own, given, masters[2];
    if (getpgrp() == getpid()) { /* a leader of a group cannot lead a session */
        pid_t pid = fork();
        if (pid != 0)
            SKIP("to be run by the sweep");
    }
    masters[0] = new_terminal(&own);
    masters[1] = new_terminal(&given);
    CHECK(setsid() > 0 && ioctl(own, TIOCSCTTY, 0) == 0 && in_front(own) == getpid());
    ps_command *in_session = helper_command("exit_with", "3", NULL), *foreground = helper_command("exit_with", "4", NULL);
    CHECK_OK(ps_command_terminal(in_session, given, &error), error);
    CHECK_OK(ps_command_foreground(foreground, 1, &error), error);
    scenario_faults("ioctl EPERM ENOTTY EIO EINTR");
    scenario_faults("openat EMFILE EIO EINTR");
    scenario_faults("setsid EPERM");

    scenario_begin(argc, argv);
    bool refuses = scenario_injected("ioctl", "ENOTTY") || scenario_injected("ioctl", "EINVAL"); /* as what is no terminal does */
    if ((refuses || worked(ps_command_terminal(in_session, given, &error), &error)) && worked(ps_spawn(NULL, in_session, &child, &error), &error)) {
        worked(ps_reap(child, 20000, NULL, &error), &error);
        worked(ps_terminate(child, 0, NULL, &error), &error);
        ps_child_free(child);
    }
    if (worked(ps_spawn(NULL, foreground, &child, &error), &error)) {
        worked(ps_reap(child, 20000, NULL, &error), &error);
        worked(ps_terminate(child, 0, NULL, &error), &error);
        ps_child_free(child);
    }
    scenario_end();
    /* The one call by which it is taken back may have failed. */
    CHECK(in_front(own) == getpid() || scenario_injected("ioctl", NULL));
    ps_command_free(in_session);
    ps_command_free(foreground);
    close(masters[1]);
    return 0;
}
