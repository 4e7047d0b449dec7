/*
 * crew plain|deaf|orderly: a leader and two workers in one process group. Each says on its standard output what it is sent, as a line:
 *
 *   worker got N     a worker was sent that signal (SIGTERM, SIGABRT, SIGINT, SIGHUP, SIGCONT), and goes on
 *   worker told      it was sent SIGUSR1, which is the leader's word, and ends
 *   worker done      its standard input has ended, and so does it: it was alive until then, and has said before whatever it was sent before
 *   leader got N     of one that is deaf, or orderly
 *
 * The leader is plain: it ends by whatever ends a program. Or deaf: only SIGKILL ends it. Or orderly: SIGTERM makes it tell its workers, wait for
 * them, say "leader done" and exit with 0. Its standard input is its workers' affair.
 *
 * The first line is "ready", when all this stands. Descriptor 3 gets a newline then, if it is there.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 2 };

static void say(const char *what, int number)
{
    char line[64];
    int length = number ? snprintf(line, sizeof line, "%s %d\n", what, number) : snprintf(line, sizeof line, "%s\n", what);
    if (write(1, line, (size_t)length) != length)
        _exit(97);
}

/* The next signal; 0 if there is none. */
static int take(int signals)
{
    struct signalfd_siginfo info;
    return read(signals, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

static _Noreturn void work(int signals)
{
    struct pollfd watched[] = {{.fd = 0, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    for (;;) {
        poll(watched, 2, -1);
        bool over = watched[0].revents != 0; /* seen before the signals are: what was sent before is said */
        for (int got; (got = take(signals)) != 0;) {
            if (got == SIGUSR1) {
                say("worker told", 0);
                _exit(0);
            }
            say("worker got", got);
        }
        if (over) {
            say("worker done", 0);
            _exit(0);
        }
    }
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    int ready[2];
    pid_t workers[WORKERS];
    sigset_t heard, none;
    sigemptyset(&none);
    sigemptyset(&heard);
    for (const int *one = (const int[]){SIGTERM, SIGABRT, SIGINT, SIGHUP, SIGCONT, SIGUSR1, 0}; *one; one++)
        sigaddset(&heard, *one);
    sigprocmask(SIG_BLOCK, &heard, NULL);
    alarm(600);
    bool asked = fcntl(3, F_GETFD) >= 0; /* whoever asks for it: else the number is free */
    int signals = signalfd(-1, &heard, SFD_NONBLOCK | SFD_CLOEXEC);
    if (signals < 0 || pipe(ready) != 0)
        return 98;
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = fork();
        if (workers[i] < 0)
            return 98;
        if (workers[i] == 0) {
            alarm(600);
            if (asked)
                close(3);
            close(ready[0]);
            close(ready[1]);
            work(signals); /* a signalfd shows the signals of who reads it */
        }
    }
    close(ready[1]);
    char byte;
    if (read(ready[0], &byte, 1) != 0)
        return 98;
    if (strcmp(mode, "plain") == 0)
        sigprocmask(SIG_SETMASK, &none, NULL);
    say("ready", 0);
    if (asked && write(3, "\n", 1) != 1)
        return 98;
    struct pollfd heard_of = {.fd = strcmp(mode, "plain") == 0 ? -1 : signals, .events = POLLIN};
    for (;;) {
        poll(&heard_of, 1, -1);
        for (int got; heard_of.fd >= 0 && (got = take(signals)) != 0;) {
            say("leader got", got);
            if (got != SIGTERM || strcmp(mode, "orderly") != 0)
                continue;
            for (int i = 0; i < WORKERS; i++)
                kill(workers[i], SIGUSR1);
            for (int i = 0; i < WORKERS; i++)
                waitpid(workers[i], NULL, 0);
            say("leader done", 0);
            return 0;
        }
    }
}
