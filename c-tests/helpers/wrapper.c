/*
 * wrapper WHAT PROGRAM ARGS...: what start scripts and supervisors do to a server before they become it, or start it. WHAT is made of
 *
 *   c  closes every descriptor above 2
 *   e  clears the environment, but for PATH
 *   f  starts the program as a child, and waits for that
 *   s  the same, in a session of its own
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 3)
        return 98;
    if (strchr(argv[1], 'e')) {
        clearenv();
        setenv("PATH", "/usr/bin:/bin", 1);
    }
    if (strchr(argv[1], 'c'))
        for (int fd = 3; fd < 1024; fd++)
            close(fd);
    if (strpbrk(argv[1], "fs")) {
        alarm(600);
        pid_t pid = fork();
        if (pid != 0)
            return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : 98;
        if (strchr(argv[1], 's'))
            setsid();
    }
    execv(argv[2], argv + 2);
    return 97;
}
