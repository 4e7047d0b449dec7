/*
 * leave_group: leads a process group, makes a helper that stays in it, and leaves it for the group of its parent. Each of the two
 * writes "leader got" or "helper got" as a line for each SIGRTMIN+1, "leader mark" or "helper mark" for SIGRTMIN+2 (which comes after it),
 * and ends by everything else that ends a process. The first line is the helper's pid, written when all this stands.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void say(const char *who, const char *what)
{
    char line[32];
    int length = snprintf(line, sizeof line, "%s %s\n", who, what);
    if (write(1, line, (size_t)length) != length)
        _exit(97);
}

int main(void)
{
    sigset_t told;
    sigemptyset(&told);
    sigaddset(&told, SIGRTMIN + 1);
    sigaddset(&told, SIGRTMIN + 2);
    sigprocmask(SIG_BLOCK, &told, NULL);
    alarm(600);
    pid_t helper = fork();
    if (helper < 0)
        return 98;
    const char *who = "helper";
    if (helper > 0) {
        who = "leader";
        if (setpgid(0, getpgid(getppid())) != 0)
            return 98;
        char line[32];
        int length = snprintf(line, sizeof line, "%d\n", (int)helper);
        if (write(1, line, (size_t)length) != length)
            return 97;
    } else {
        alarm(600); /* not for ever, see forever.h */
    }
    for (;;) {
        int got = sigwaitinfo(&told, NULL);
        if (got == SIGRTMIN + 1)
            say(who, "got");
        else if (got == SIGRTMIN + 2)
            say(who, "mark");
    }
}
