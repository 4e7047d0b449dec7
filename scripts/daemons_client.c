/*
 * daemons_client PORT SECONDS RATE KEPT LONG: asks a web server without a pause and counts, in JSON on one line. An open loop: when a request is due
 * does not depend on the answers, and its time counts from then.
 *
 *   fresh  RATE a second, each on a connection of its own            GET /       (one of sixteen threads takes the next that is due)
 *   kept   KEPT connections, a request every 20 ms on each            GET /
 *   long   LONG connections, one request after the other             GET /slow   (that the server takes about a second for)
 *
 * failed: no connection, no answer, half an answer, another status than 200. A kept connection that the server closes between two requests, or before
 * the first byte of an answer to one that is not its first, may be closed so by HTTP (RFC 9112, 9.3.1): the request is sent again on another one, and
 * counted as `again`, not as failed; if that fails as well it has failed. slow: more than 100 ms later than it was due (fresh, kept).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRESH, KEPT, LONG, KINDS, THREADS = 16, SLOW_US = 100000 };

static struct sockaddr_in server = {.sin_family = AF_INET};
static int64_t begun, until;
static atomic_llong due;
static int64_t pause_ns;
static struct {
    atomic_ullong done, failed, again, slow, slowest_us;
} counts[KINDS];
static const char *names[KINDS] = {"fresh", "kept", "long"};

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void sleep_until(int64_t at)
{
    struct timespec time = {at / 1000000000LL, at % 1000000000LL};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static int connected(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct timeval most = {.tv_sec = 30};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&server, sizeof server) == 0)
        return fd;
    fprintf(stderr, "connect: %s\n", strerror(errno));
    close(fd);
    return -1;
}

enum { WHOLE, WHOLE_AND_CLOSED, NOTHING, BROKEN };

/* One request, with its whole answer. */
static int request(int fd, const char *path, bool keep)
{
    char text[65536];
    int length = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: %s\r\n\r\n", path, keep ? "keep-alive" : "close");
    if (send(fd, text, (size_t)length, MSG_NOSIGNAL) != length)
        return NOTHING;
    size_t got = 0, whole = 0;
    bool closes = !keep;
    for (;;) {
        ssize_t more = recv(fd, text + got, sizeof text - 1 - got, 0);
        if (more <= 0) {
            if (got && !whole)
                fprintf(stderr, "half an answer, %zu bytes: %s\n", got, more < 0 ? strerror(errno) : "closed");
            return got == 0 ? NOTHING : BROKEN;
        }
        got += (size_t)more;
        text[got] = 0;
        char *body = strstr(text, "\r\n\r\n");
        if (!body)
            continue;
        if (!whole) {
            if (strncmp(text, "HTTP/1.1 200", 12) != 0 && strncmp(text, "HTTP/1.0 200", 12) != 0) {
                fprintf(stderr, "answered %.40s\n", text);
                return BROKEN;
            }
            char *said = strcasestr(text, "\r\ncontent-length:");
            closes |= strcasestr(text, "\r\nconnection: close") != NULL;
            if (!said)
                return BROKEN;
            whole = (size_t)(body + 4 - text) + strtoul(said + 17, NULL, 10);
        }
        if (whole && got >= whole)
            return closes ? WHOLE_AND_CLOSED : WHOLE;
    }
}

static void count(int kind, bool well, int64_t from)
{
    unsigned long long us = (unsigned long long)((now() - from) / 1000), most = counts[kind].slowest_us;
    counts[kind].done++;
    counts[kind].failed += !well;
    counts[kind].slow += us > SLOW_US && kind != LONG;
    while (us > most && !atomic_compare_exchange_weak(&counts[kind].slowest_us, &most, us))
        ;
}

static void *fresh(void *unused)
{
    (void)unused;
    for (;;) {
        int64_t at = atomic_fetch_add(&due, pause_ns);
        if (at >= until)
            return NULL;
        sleep_until(at);
        int fd = connected(), what = fd < 0 ? NOTHING : request(fd, "/", false);
        if (what == NOTHING && fd >= 0)
            fprintf(stderr, "a fresh connection was closed without an answer\n");
        count(FRESH, what == WHOLE || what == WHOLE_AND_CLOSED, at);
        if (fd >= 0)
            close(fd);
    }
}

static void *kept(void *path)
{
    int kind = path ? LONG : KEPT, fd = -1;
    for (int64_t at = now(); at < until; at += 20000000) {
        if (kind == LONG)
            at = now();
        sleep_until(at);
        bool used = fd >= 0;
        if (!used)
            fd = connected();
        int what = fd < 0 ? BROKEN : request(fd, path ? path : "/", true);
        if (what == NOTHING && used) {
            counts[kind].again++;
            close(fd);
            fd = connected();
            what = fd < 0 ? BROKEN : request(fd, path ? path : "/", true);
        }
        count(kind, what == WHOLE || what == WHOLE_AND_CLOSED, at);
        if (what != WHOLE && fd >= 0)
            close(fd), fd = -1;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    pthread_t threads[256];
    int many = 0, keeps = atoi(argv[4]), longs = atoi(argv[5]);
    server.sin_port = htons((uint16_t)atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    signal(SIGPIPE, SIG_IGN);
    begun = now();
    until = begun + (int64_t)(atof(argv[2]) * 1e9);
    pause_ns = 1000000000LL / atoi(argv[3]);
    due = begun;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[many++], NULL, fresh, NULL);
    for (int i = 0; i < keeps && many < 200; i++)
        pthread_create(&threads[many++], NULL, kept, NULL);
    for (int i = 0; i < longs && many < 250; i++)
        pthread_create(&threads[many++], NULL, kept, "/slow");
    while (many)
        pthread_join(threads[--many], NULL);
    printf("{");
    for (int i = 0; i < KINDS; i++)
        printf("%s\"%s\": {\"done\": %llu, \"failed\": %llu, \"again\": %llu, \"slow\": %llu, \"slowest_us\": %llu}", i ? ", " : "", names[i],
               (unsigned long long)counts[i].done, (unsigned long long)counts[i].failed, (unsigned long long)counts[i].again,
               (unsigned long long)counts[i].slow, (unsigned long long)counts[i].slowest_us);
    printf("}\n");
    return 0;
}
