/*
 * escape WAY FILE [exit]: leaves processes behind that try to get away, each of which has appended its pid as a line to FILE before
 * anything else of it can be seen from outside. Then it prints the line "away", and waits (or, with "exit", exits with 0). FILE is an
 * absolute path, and stands in the command line of every survivor: so they can be told from strangers.
 *
 *   grandchild          an ordinary child of this program
 *   ignore-term         the same, deaf to SIGTERM, SIGHUP and SIGINT
 *   stopped             the same, stopped by SIGSTOP, and deaf to SIGHUP
 *   orphan              double fork: its parent is gone
 *   group               leads a process group of its own
 *   session             leads a session of its own
 *   daemon              double fork, a session of its own, standard streams closed, working directory /
 *   bare                the same, executed anew with an empty environment
 *   limit               the same, with a RLIMIT_RTTIME that it has set itself
 *   bomb [TOTAL]        a fork bomb: 30 processes, and whoever sees a child die makes another; at most TOTAL (200) in all
 *   bomb-sessions       the same, each in a session of its own
 *   counting            an ordinary child and a daemon; both, and this program, append "got PID" for each SIGRTMIN+1, and "alive PID" for
 *                       SIGRTMIN+2, in the order in which they came
 *   orphans COUNT       COUNT double forks, one after the other, whose survivors end at once; then none is there any more
 *
 * A survivor answers SIGUSR1: it appends "alive PID" to FILE. One that was sent SIGKILL before cannot.
 */
#define _GNU_SOURCE
#include "forever.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { BOMB_LEVELS = 4, BOMB_SIZE = 2 + 4 + 8 + 16 };

static const char *way, *path;
static int file, ready[2];
static struct bomb {
    int made, alive_once;
} *bomb;

static int is(const char *name)
{
    return strcmp(way, name) == 0;
}

/* Formats by hand, because a signal handler calls it too. */
static void note(const char *word)
{
    char line[64];
    size_t length = strlen(word), digits = 0;
    char number[16];
    memcpy(line, word, length);
    /* As the test sees it, which may be in another pid namespace: /proc is the test's. */
    ssize_t known = readlink("/proc/self", number, sizeof number);
    if (known > 0)
        digits = (size_t)known;
    memcpy(line + length, number, digits);
    length += digits;
    line[length++] = '\n';
    if (write(file, line, length) != (ssize_t)length)
        _exit(97);
}

static void answer(int signal_number)
{
    int saved = errno;
    (void)signal_number;
    note("alive ");
    errno = saved;
}

static void count(int signal_number)
{
    int saved = errno;
    note(signal_number == SIGRTMIN + 1 ? "got " : "alive ");
    errno = saved;
}

/* All others are blocked in the handler: otherwise the one that came last would run first. */
static void count_signals(void)
{
    struct sigaction action = {.sa_handler = count};
    sigfillset(&action.sa_mask);
    sigaction(SIGRTMIN + 1, &action, NULL);
    sigaction(SIGRTMIN + 2, &action, NULL);
}

/* O_APPEND: lines of several processes do not mix. */
static void open_file(void)
{
    file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file >= 0 && file < 3) {
        int high = fcntl(file, F_DUPFD_CLOEXEC, 3);
        close(file);
        file = high;
    }
    if (file < 0)
        _exit(98);
    signal(SIGUSR1, answer);
}

/* The end of file on `ready` tells the leader that all who hold it are set up. */
static _Noreturn void survive(void)
{
    note("");
    if (is("stopped")) {
        close(ready[1]);
        raise(SIGSTOP);
    }
    close(ready[0]);
    close(ready[1]);
    pause_forever();
    _exit(0);
}

/* What every process of the bomb does from its first instruction on. */
static void begin_bomb_process(int level)
{
    if (is("bomb-sessions"))
        setsid();
    note("");
    if (level > 0)
        __atomic_add_fetch(&bomb->alive_once, 1, __ATOMIC_SEQ_CST);
    alarm(600);
}

static _Noreturn void bomb_process(void)
{
    int level = 0, children = 0;
    begin_bomb_process(level);
    for (;;) {
        while (level < BOMB_LEVELS && children < 2 && __atomic_sub_fetch(&bomb->made, 1, __ATOMIC_SEQ_CST) >= 0) {
            pid_t pid = fork();
            if (pid == 0) {
                children = 0;
                begin_bomb_process(++level);
            } else {
                children += pid > 0;
            }
        }
        pid_t ended = wait(NULL);
        if (ended > 0)
            children--;
        else if (errno == ECHILD)
            pause();
    }
}

static void go(void)
{
    pid_t pid = fork();
    if (pid < 0)
        _exit(98);
    if (pid > 0) {
        if (is("orphan") || is("daemon") || is("bare") || is("limit"))
            waitpid(pid, NULL, 0);
        if (is("stopped"))
            waitpid(pid, NULL, WUNTRACED);
        return;
    }
    if (is("orphan") || is("daemon") || is("bare") || is("limit")) {
        if (!is("orphan"))
            setsid();
        if (fork() != 0)
            _exit(0);
    }
    if (is("group"))
        setpgid(0, 0);
    if (is("session"))
        setsid();
    if (is("stopped"))
        signal(SIGHUP, SIG_IGN); /* which the kernel sends to a group with stopped members when it becomes orphaned */
    if (is("ignore-term")) {
        signal(SIGTERM, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        signal(SIGINT, SIG_IGN);
    }
    if (is("limit")) {
        struct rlimit hour = {3600000000ul, 3600000000ul};
        if (setrlimit(RLIMIT_RTTIME, &hour) != 0)
            _exit(98);
    }
    if (is("daemon") || is("bare") || is("limit")) {
        if (chdir("/") != 0)
            _exit(98);
        for (int fd = 0; fd < 3; fd++)
            close(fd);
    } else {
        /* whoever holds our output open would delay a reader, which is another test's business */
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (int fd = 0; fd < 3; fd++)
            dup2(null, fd);
    }
    if (is("bare")) {
        char *no_environment[] = {NULL}, *arguments[] = {(char *)"escape", (char *)"rest", (char *)path, NULL};
        fcntl(ready[1], F_SETFD, 0);
        fcntl(file, F_SETFD, FD_CLOEXEC);
        dup3(ready[1], 3, 0);
        if (ready[1] != 3)
            close(ready[1]);
        execve("/proc/self/exe", arguments, no_environment);
        _exit(98);
    }
    survive();
}

static void run_bomb(int total)
{
    bomb = mmap(NULL, sizeof *bomb, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bomb == MAP_FAILED)
        _exit(98);
    bomb->made = total;
    pid_t pid = fork();
    if (pid == 0)
        bomb_process();
    while (__atomic_load_n(&bomb->alive_once, __ATOMIC_SEQ_CST) < BOMB_SIZE)
        usleep(500);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 98;
    way = argv[1];
    path = argv[2];
    open_file();
    if (is("rest")) { /* the second life of "bare": descriptor 3 is `ready` */
        ready[0] = -1;
        ready[1] = 3;
        survive();
    }
    if (is("orphans")) {
        char byte;
        if (pipe2(ready, O_CLOEXEC) != 0)
            return 98;
        for (int i = atoi(argv[3]); i > 0; i--) {
            pid_t pid = fork();
            if (pid == 0) {
                if (fork() == 0)
                    note("");
                _exit(0);
            }
            waitpid(pid, NULL, 0);
        }
        close(ready[1]);
        if (read(ready[0], &byte, 1) != 0) /* all have written */
            return 98;
    } else if (is("bomb") || is("bomb-sessions")) {
        ready[0] = ready[1] = -1;
        int total = argc > 3 ? atoi(argv[3]) : 0;
        run_bomb(total > 0 ? total : 200);
    } else {
        char byte;
        if (pipe2(ready, O_CLOEXEC) != 0)
            return 98;
        if (is("counting")) {
            count_signals();
            note("");
            way = "grandchild";
            go();
            way = "daemon";
        }
        go();
        close(ready[1]);
        if (read(ready[0], &byte, 1) != 0)
            return 98;
    }
    puts("away");
    fflush(stdout);
    if (strcmp(argv[argc - 1], "exit") == 0)
        return 0;
    pause_forever();
}
