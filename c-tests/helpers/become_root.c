/*
 * become_root [helper]: for a set-user-ID copy of this program. Becomes root for good and writes "root", or "no" if it may not. With "helper"
 * it makes a child before, which stays the user who started it, in the same group; its pid is the line before. Then it does what it reads:
 * 'u' raises SIGUSR1; at the end of file it exits with 0.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    (void)argv;
    alarm(600);
    if (argc > 1) {
        int said[2];
        char end;
        if (pipe(said) != 0)
            return 98;
        pid_t helper = fork();
        if (helper < 0)
            return 98;
        if (helper == 0) {
            if (setresuid(getuid(), getuid(), getuid()) != 0)
                return 98;
            printf("%d\n", (int)getpid());
            fflush(stdout);
            close(0);
            close(1);
            close(said[0]);
            close(said[1]);
            alarm(600); /* not for ever, see forever.h */
            for (;;)
                pause();
        }
        close(said[1]);
        if (read(said[0], &end, 1) != 0) /* it is the user that it was to be, and has said its line */
            return 98;
    }
    int root = setresuid(0, 0, 0) == 0;
    char byte;
    puts(root ? "root" : "no");
    fflush(stdout);
    while (read(0, &byte, 1) == 1)
        if (byte == 'u')
            raise(SIGUSR1);
    return 0;
}
