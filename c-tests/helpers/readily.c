/*
 * Does what its arguments say, one after the other, and then exits with 0. The parts of an argument have colons between them.
 *
 *   newline:FD         writes a newline            bytes:FD:COUNT     writes so many others, as long as it can
 *   close:FD           closes it                   closefrom:FD       closes it and all above
 *   notify:TEXT        sends a message to NOTIFY_SOCKET, where ';' is a newline; waits while its queue is full
 *   unix:PATH          listens there (@NAME: abstract)                tcp:PORT           listens on 127.0.0.1
 *   say:TEXT           writes a line to stdout     gate:FD            waits until a byte comes, or the end of file
 *   sleep:MS           waits                       file:PATH          makes an empty file
 *   first:PATH         does the next argument only if there is no such file, and makes it
 *   child:ACTION       a child of its own does this one, and is waited for
 *   exit:CODE   raise:SIGNAL   pause   ignore:SIGNAL
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static socklen_t name_of(struct sockaddr_un *to, const char *name)
{
    size_t length = strlen(name);
    memset(to, 0, sizeof *to);
    to->sun_family = AF_UNIX;
    memcpy(to->sun_path, name, length);
    if (name[0] == '@')
        to->sun_path[0] = 0;
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (name[0] != '@'));
}

static int must(long result, const char *what)
{
    if (result < 0) {
        perror(what);
        _exit(99);
    }
    return (int)result;
}

static void notify(const char *words)
{
    const char *where = getenv("NOTIFY_SOCKET");
    if (!where) {
        fprintf(stderr, "no NOTIFY_SOCKET\n");
        _exit(98);
    }
    char *text = strdup(words);
    for (char *at = text; *at; at++)
        *at = *at == ';' ? '\n' : *at;
    struct sockaddr_un to;
    socklen_t length = name_of(&to, where);
    int fd = must(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
    must(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, length), "sendto");
    close(fd);
    free(text);
}

static int skip_next;

static void act(const char *action)
{
    const char *colon = strchr(action, ':'), *rest = colon ? colon + 1 : "";
    size_t length = colon ? (size_t)(colon - action) : strlen(action);
#define IS(name) (length == strlen(name) && !strncmp(action, name, length))
    if (IS("newline")) {
        must(write(atoi(rest), "\n", 1), "write");
    } else if (IS("bytes")) {
        char block[4096];
        memset(block, 'x', sizeof block);
        long left = atol(strchr(rest, ':') + 1);
        for (ssize_t written = 1; left > 0 && written > 0; left -= written)
            written = write(atoi(rest), block, left < (long)sizeof block ? (size_t)left : sizeof block);
    } else if (IS("close")) {
        close(atoi(rest));
    } else if (IS("closefrom")) {
        for (int fd = atoi(rest); fd < 1024; fd++)
            close(fd);
    } else if (IS("notify")) {
        notify(rest);
    } else if (IS("unix")) {
        struct sockaddr_un at;
        socklen_t size = name_of(&at, rest);
        int fd = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
        must(bind(fd, (struct sockaddr *)&at, size), "bind");
        must(listen(fd, 8), "listen");
    } else if (IS("tcp")) {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(rest)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket"), on = 1;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        must(bind(fd, (struct sockaddr *)&at, sizeof at), "bind");
        must(listen(fd, 8), "listen");
    } else if (IS("say")) {
        printf("%s\n", rest);
        fflush(stdout);
    } else if (IS("gate")) {
        char byte;
        while (read(atoi(rest), &byte, 1) < 0 && errno == EINTR)
            ;
    } else if (IS("sleep")) {
        struct timespec time = {.tv_sec = atol(rest) / 1000, .tv_nsec = atol(rest) % 1000 * 1000000};
        nanosleep(&time, NULL);
    } else if (IS("file")) {
        close(must(open(rest, O_CREAT | O_WRONLY, 0600), "open"));
    } else if (IS("first")) {
        int fd = open(rest, O_CREAT | O_EXCL | O_WRONLY, 0600);
        skip_next = fd < 0;
        close(fd);
    } else if (IS("child")) {
        pid_t child = must(fork(), "fork");
        if (child == 0) {
            act(rest);
            _exit(0);
        }
        waitpid(child, NULL, 0);
    } else if (IS("exit")) {
        exit(atoi(rest));
    } else if (IS("raise")) {
        raise(atoi(rest));
    } else if (IS("ignore")) {
        signal(atoi(rest), SIG_IGN);
    } else if (IS("pause")) {
        for (;;)
            pause();
    } else {
        fprintf(stderr, "%s is unknown\n", action);
        exit(97);
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (skip_next)
            skip_next = 0;
        else
            act(argv[i]);
    }
    return 0;
}
