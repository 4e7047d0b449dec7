/* A child that speaks to its NOTIFY_SOCKET with plain datagrams, as it is told by its arguments, one after the other:
 *
 *   say TEXT        a message ("\n" in it is a newline)         length N    a message of N bytes: STATUS=xxx...
 *   bytes HEX       a message of these bytes                    times N TEXT   the same one so often
 *   fds N TEXT      with N copies of a pipe's write end; prints "closed" when all of them are closed (the read end is at its end)
 *   linger SECONDS TEXT   with a TCP socket that is full, whose close(2) waits so long (SO_LINGER)
 *   barrier         BARRIER=1 with a pipe; prints "answered MICROSECONDS"
 *   forge PID TEXT  under another's number; prints "forged", "EPERM" or what else
 *   fork            what follows is done by a child of this process, in its group; this one waits for it and goes no further
 *   session         leaves the group                            user N      becomes this user
 *   pings MS        WATCHDOG=1 every so often, for ever         ignore N    ignores this signal
 *   env NAME        prints NAME=value or "NAME is not set"      pid         prints its own number
 *   print TEXT      a line on stdout                            line        waits for a line (or the end) of stdin
 *   exit N          ends                                        pause       for ever
 *   onabort N       exits with N at SIGABRT
 *   stop            stops itself (SIGSTOP)                      limit-core  no core is dumped
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "forever.h"

static int speaker(void)
{
    static int fd = -1;
    const char *name = getenv("NOTIFY_SOCKET");
    if (fd >= 0)
        return fd;
    if (!name || (*name != '@' && *name != '/'))
        exit(90);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    memcpy(address.sun_path, name, length);
    if (*name == '@')
        address.sun_path[0] = 0;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + length) != 0) {
        printf("connect: %s\n", strerror(errno));
        exit(91);
    }
    return fd;
}

/* One message; with descriptors; in another's name. */
static int speak(const char *text, size_t length, int fd, int count, pid_t as)
{
    union { char bytes[1200]; struct cmsghdr align; } control = {0};
    struct iovec part = {(void *)text, length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * count);
        for (int i = 0; i < count; i++)
            memcpy(CMSG_DATA(rights) + i * sizeof(int), &fd, sizeof fd);
    } else if (as > 0) {
        struct ucred who = {.pid = as, .uid = getuid(), .gid = getgid()};
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof who);
        struct cmsghdr *credentials = CMSG_FIRSTHDR(&message);
        credentials->cmsg_level = SOL_SOCKET;
        credentials->cmsg_type = SCM_CREDENTIALS;
        credentials->cmsg_len = CMSG_LEN(sizeof who);
        memcpy(CMSG_DATA(credentials), &who, sizeof who);
    }
    return sendmsg(speaker(), &message, MSG_NOSIGNAL) < 0 ? errno : 0;
}

static void say(const char *text)
{
    char message[8192];
    size_t length = 0;
    for (; *text && length < sizeof message; text++)
        message[length++] = text[0] == '\\' && text[1] == 'n' ? (text++, '\n') : *text;
    int failed = speak(message, length, -1, 0, 0);
    if (failed) {
        printf("send: %s\n", strerror(failed));
        exit(92);
    }
}

static int code_at_abort;
static void at_abort(int signal)
{
    (void)signal;
    _exit(code_at_abort);
}

static long long now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* Sends copies of a pipe's write end, and waits until none of them is open. */
static long long lend(const char *text, int count)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        exit(93);
    long long since = now_us();
    if (speak(text, strlen(text), ends[1], count, 0) != 0)
        exit(94);
    close(ends[1]);
    struct pollfd end = {.fd = ends[0]};
    poll(&end, 1, -1);
    close(ends[0]);
    return now_us() - since;
}

/* Sends a connection that has unsent data, and whose other end (ours) takes none: the last to close it waits. */
static void linger(int seconds, const char *text)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    static char block[65536];
    int listener = socket(AF_INET, SOCK_STREAM, 0), near = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 1) != 0
        || getsockname(listener, (struct sockaddr *)&at, &length) != 0 || connect(near, (struct sockaddr *)&at, sizeof at) != 0
        || accept(listener, NULL, NULL) < 0)
        exit(99);
    while (send(near, block, sizeof block, MSG_DONTWAIT) > 0)
        ;
    if (setsockopt(near, SOL_SOCKET, SO_LINGER, &(struct linger){1, seconds}, sizeof(struct linger)) != 0
        || speak(text, strlen(text), near, 1, 0) != 0)
        exit(99);
    close(near);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        #define NEXT (++i < argc ? argv[i] : (exit(95), ""))
        if (strcmp(word, "say") == 0) {
            say(NEXT);
        } else if (strcmp(word, "times") == 0) {
            int count = atoi(NEXT);
            const char *text = NEXT;
            while (count-- > 0)
                say(text);
        } else if (strcmp(word, "length") == 0) {
            int length = atoi(NEXT);
            char *text = malloc(length);
            memset(text, 'x', length);
            memcpy(text, "STATUS=", 7);
            if (speak(text, length, -1, 0, 0) != 0)
                return 96;
            free(text);
        } else if (strcmp(word, "bytes") == 0) {
            const char *hex = NEXT;
            char bytes[4096];
            size_t length = 0;
            for (unsigned byte; sscanf(hex + 2 * length, "%2x", &byte) == 1 && hex[2 * length]; length++)
                bytes[length] = (char)byte;
            speak(bytes, length, -1, 0, 0);
        } else if (strcmp(word, "fds") == 0) {
            int count = atoi(NEXT);
            lend(NEXT, count);
            puts("closed");
        } else if (strcmp(word, "linger") == 0) {
            int seconds = atoi(NEXT);
            linger(seconds, NEXT);
        } else if (strcmp(word, "barrier") == 0) {
            printf("answered %lld\n", lend("BARRIER=1", 1));
        } else if (strcmp(word, "forge") == 0) {
            pid_t as = atoi(NEXT);
            const char *text = NEXT;
            int failed = speak(text, strlen(text), -1, 0, as);
            puts(failed == EPERM ? "EPERM" : failed ? strerror(failed) : "forged");
        } else if (strcmp(word, "fork") == 0) {
            pid_t child = fork();
            if (child > 0) {
                waitpid(child, NULL, 0);
                pause_forever();
            }
        } else if (strcmp(word, "session") == 0) {
            setsid();
        } else if (strcmp(word, "user") == 0) {
            int user = atoi(NEXT);
            if (setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0)
                return 97;
        } else if (strcmp(word, "pings") == 0) {
            int ms = atoi(NEXT);
            alarm(600);
            for (;;) {
                say("WATCHDOG=1");
                poll(NULL, 0, ms);
            }
        } else if (strcmp(word, "ignore") == 0) {
            signal(atoi(NEXT), SIG_IGN);
        } else if (strcmp(word, "onabort") == 0) {
            code_at_abort = atoi(NEXT);
            signal(SIGABRT, at_abort);
        } else if (strcmp(word, "env") == 0) {
            const char *name = NEXT, *value = getenv(name);
            if (value)
                printf("%s=%s\n", name, value);
            else
                printf("%s is not set\n", name);
        } else if (strcmp(word, "pid") == 0) {
            printf("%d\n", (int)getpid());
        } else if (strcmp(word, "print") == 0) {
            puts(NEXT);
        } else if (strcmp(word, "line") == 0) {
            for (char byte = 0; byte != '\n' && read(0, &byte, 1) == 1;)
                ;
        } else if (strcmp(word, "exit") == 0) {
            exit(atoi(NEXT));
        } else if (strcmp(word, "stop") == 0) {
            raise(SIGSTOP);
        } else if (strcmp(word, "limit-core") == 0) {
            setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        } else if (strcmp(word, "pause") == 0) {
            pause_forever();
        } else {
            fprintf(stderr, "notifier: %s?\n", word);
            return 98;
        }
    }
    return 0;
}
