/* A child in the background of a terminal that reads from it is stopped by the kernel (SIGTTIN), and told so; put into the foreground and
   continued it reads on. */
/* variants: none */
#include "halting.h"

#include <sys/ioctl.h>

static void in_a_session(void)
{
    CHECK(setsid() > 0);
    signal(SIGTTOU, SIG_IGN); /* who hands the foreground over may be in the background */
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        SKIP("there are no terminals here");
    int terminal = open(ptsname(master), O_RDWR | O_CLOEXEC);
    CHECK(terminal >= 0 && ioctl(terminal, TIOCSCTTY, 0) == 0);
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = watched(helper_command("echo_fd", "0", NULL), SOON_MS);
    set_stdio(command, 0, PS_STDIO_FD, terminal);
    set_stdio(command, 1, PS_STDIO_NULL, -1);
    ps_child *child = spawn_named(supervisor, command, 1);
    expect(supervisor, PS_EVENT_STARTED, 1);
    EXPECT_STOPPED(supervisor, 1, SIGTTIN);
    CHECK_INT(ioctl(terminal, TIOCSPGRP, &(pid_t){pid_of(child)}), 0);
    send_it(child, SIGCONT);
    expect(supervisor, PS_EVENT_CONTINUED, 1);
    CHECK_INT(write(master, "\4", 1), 1); /* end of file */
    ps_event ended = expect(supervisor, PS_EVENT_EXITED, 1);
    CHECK(ended.exit.kind == PS_EXIT_EXITED && ended.exit.code == 0);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    in_forked_process(in_a_session);
    return 0;
}
