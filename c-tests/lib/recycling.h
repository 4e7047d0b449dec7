/*
 * A stranger with the pid that a child had. In a pid namespace of the test, where the next pid can be chosen.
 */
#ifndef PROCSUP_TEST_RECYCLING_H
#define PROCSUP_TEST_RECYCLING_H

#include "children.h"

HARNESS bool set_last_pid(pid_t pid)
{
    char text[16];
    int n = snprintf(text, sizeof text, "%d", (int)pid - 1);
    int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, (size_t)n) == n;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* A stranger with this very pid, leader of its own group; 0 if the pid is not free yet: the kernel gives it free a while after its end. */
HARNESS pid_t try_stranger(pid_t wanted)
{
    if (!set_last_pid(wanted))
        exit(77);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        setpgid(0, 0);
        for (;;)
            pause();
    }
    if (pid == wanted) {
        setpgid(pid, pid);
        CHECK(wait_until(process_state(pid) == 'S', 20000));
        return pid;
    }
    kill(pid, SIGKILL);
    wait_for(pid);
    return 0;
}

HARNESS pid_t stranger_with_pid(pid_t wanted)
{
    pid_t pid = 0;
    let_a_tick_pass(); /* he differs in his start time, too */
    CHECK(wait_until((pid = try_stranger(wanted)) != 0, 20000));
    return pid;
}

#endif
