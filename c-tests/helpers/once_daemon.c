/*
 * A daemon that is to run once: once_daemon SOCKET LOG [OPTION...]
 *
 * Writes its pid as a line to the end of LOG, then listens at SOCKET (what lies there is removed first) and accepts for ever. It ends by itself after
 * some minutes, so that nothing is left of a test that was killed. Options, in the order in which they are done, before it listens:
 *
 *   close-all     closes every descriptor above 2, as closefrom(3) does
 *   worker        forks a process that holds on to all that was inherited; its pid goes to LOG.worker
 *   exit CODE     ends
 *   gate FILE     goes on when there is such a file
 *   ready         writes a newline to descriptor 3, and closes it
 *   silent        listens nowhere, and waits
 *   name          calls itself by a byte that is no UTF-8, with a bracket behind it
 *   exec          replaces its program by the same one, with the options that are left
 *   first-ends    goes on in a second thread, and the first one ends
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static void append(const char *path, pid_t pid)
{
    char line[32];
    int length = snprintf(line, sizeof line, "%d\n", (int)pid);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, line, (size_t)length) != length)
        _exit(101);
    close(fd);
}

static int count;
static char **arguments;

static int serve(int from);

static void *go_on(void *from)
{
    exit(serve(*(int *)from));
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 102;
    alarm(300);
    count = argc;
    arguments = argv;
    if (!getenv("ONCE_DAEMON_AGAIN"))
        append(argv[2], getpid());
    return serve(3);
}

static int serve(int from)
{
    char **argv = arguments;
    int silent = 0, argc = count;
    for (int i = from; i < argc; i++) {
        if (strcmp(argv[i], "close-all") == 0) {
            if (syscall(SYS_close_range, 3, ~0U, 0) != 0)
                for (int fd = 3; fd < 1024; fd++)
                    close(fd);
        } else if (strcmp(argv[i], "worker") == 0) {
            char path[512];
            snprintf(path, sizeof path, "%s.worker", argv[2]);
            pid_t worker = fork();
            if (worker == 0) {
                alarm(300);
                /* In a group of its own: the sweep of the daemon's does not reach it. */
                setpgid(0, 0);
                append(path, getpid());
                for (;;)
                    pause();
            }
        } else if (strcmp(argv[i], "exit") == 0 && i + 1 < argc) {
            return atoi(argv[++i]);
        } else if (strcmp(argv[i], "gate") == 0 && i + 1 < argc) {
            i++;
            while (access(argv[i], F_OK) != 0)
                poll(NULL, 0, 2);
        } else if (strcmp(argv[i], "ready") == 0) {
            if (write(3, "\n", 1) != 1)
                return 103;
            close(3);
        } else if (strcmp(argv[i], "silent") == 0) {
            silent = 1;
        } else if (strcmp(argv[i], "name") == 0) {
            prctl(PR_SET_NAME, "\377) Z");
        } else if (strcmp(argv[i], "exec") == 0) {
            argv[i] = argv[2];
            argv[i - 1] = argv[1];
            argv[i - 2] = argv[0];
            setenv("ONCE_DAEMON_AGAIN", "1", 1);
            execv("/proc/self/exe", argv + i - 2);
            return 106;
        } else if (strcmp(argv[i], "first-ends") == 0) {
            static int next;
            pthread_t thread;
            next = i + 1;
            /* Where a filter forbids threads it goes on in the first one. */
            if (pthread_create(&thread, NULL, go_on, &next) == 0)
                pthread_exit(NULL);
        } else {
            return 104;
        }
    }
    while (silent)
        pause();
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", argv[1]);
    unlink(argv[1]);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 64) != 0)
        return 105;
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection >= 0)
            close(connection);
    }
}
