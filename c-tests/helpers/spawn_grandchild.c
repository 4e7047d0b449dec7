/*
 * spawn_grandchild [setsid] [setpgid] [hold-pipe] [ignore-term] [exit[=CODE]]: makes a child (the test's grandchild) which waits to
 * be killed, and prints its pid as a line once it is what the words ask for: in a session or group of its own, deaf to SIGTERM,
 * holding our standard streams open ("hold-pipe"; otherwise it lets them go). With "exit" this program then ends, otherwise it
 * waits too.
 */
#define _GNU_SOURCE
#include "forever.h"
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    bool session = false, group = false, hold = false, deaf = false, leave = false;
    int code = 0, ready[2];
    for (int i = 1; i < argc; i++) {
        session |= strcmp(argv[i], "setsid") == 0;
        group |= strcmp(argv[i], "setpgid") == 0;
        hold |= strcmp(argv[i], "hold-pipe") == 0;
        deaf |= strcmp(argv[i], "ignore-term") == 0;
        if (strncmp(argv[i], "exit", 4) == 0) {
            leave = true;
            code = argv[i][4] == '=' ? atoi(argv[i] + 5) : 0;
        }
    }
    if (pipe2(ready, O_CLOEXEC) != 0)
        return 98;
    pid_t pid = fork();
    if (pid < 0)
        return 98;
    if (pid == 0) {
        if (session)
            setsid();
        if (group)
            setpgid(0, 0);
        if (deaf)
            signal(SIGTERM, SIG_IGN);
        if (!hold) {
            int null = open("/dev/null", O_RDWR);
            for (int fd = 0; fd < 3; fd++)
                dup2(null, fd);
            if (null > 2)
                close(null);
        }
        close(ready[0]);
        close(ready[1]); /* the end of file tells that we are set up */
        pause_forever();
    }
    char byte;
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 0)
        return 98;
    close(ready[0]);
    printf("%d\n", (int)pid);
    fflush(stdout);
    if (leave)
        return code;
    pause_forever();
}
