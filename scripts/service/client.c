/*
 * The clients of examples/kv in ./x service: in the virtual machine, in the container.
 *
 *     client PORT ask METHOD PATH        prints the body; exit 1 if there is no answer
 *     client PORT load FILE              asks until FILE is there, by one connection that is kept and by a new one each time, writes and reads
 *                                        back, and prints "requests=N failed=N refused=N lost=N slowest_ms=N". failed: no answer on a connection
 *                                        that was open; refused: nobody listened; lost: what was acknowledged was not read back
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int port, closes; /* closes: the last answer asked for the end of its connection */
static char body[1 << 16];

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 30};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

/* One request; its status, or -1. */
static int ask(int fd, const char *method, const char *path, const char *sent)
{
    static char text[1 << 16];
    int length = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", method, path, strlen(sent), sent);
    if (send(fd, text, (size_t)length, MSG_NOSIGNAL) != length)
        return -1;
    size_t had = 0;
    for (;;) {
        ssize_t got = recv(fd, text + had, sizeof text - 1 - had, 0);
        if (got <= 0)
            return -1;
        had += (size_t)got;
        text[had] = 0;
        char *end = strstr(text, "\r\n\r\n"), *size = strcasestr(text, "content-length:");
        if (!end)
            continue;
        size_t whole = (size_t)(end + 4 - text) + (size > end || !size ? 0 : strtoul(size + 15, NULL, 10));
        if (had < whole)
            continue;
        snprintf(body, sizeof body, "%s", end + 4);
        *end = 0;
        closes = strcasestr(text, "connection: close") != NULL;
        return atoi(text + 9);
    }
}

static void load(const char *file)
{
    unsigned long requests = 0, failed = 0, refused = 0, lost = 0, number = 0;
    double slowest = 0;
    int kept = -1;
    char value[32], acknowledged[32] = "";
    for (; access(file, F_OK) != 0; usleep(2000)) {
        double began = now_ms();
        if (kept < 0)
            kept = dial();
        int fresh = dial();
        if (kept < 0 || fresh < 0) {
            refused++;
        } else {
            snprintf(value, sizeof value, "%lu", ++number);
            requests += 2;
            if (ask(kept, "PUT", "/load", value) == 200)
                strcpy(acknowledged, value);
            else
                failed++, closes = 1;
            if (closes) {
                close(kept);
                kept = -1;
            }
            if (ask(fresh, "GET", "/load", "") < 0)
                failed++;
            else if (acknowledged[0] && atol(body) < atol(acknowledged))
                lost++;
        }
        if (fresh >= 0)
            close(fresh);
        if (now_ms() - began > slowest)
            slowest = now_ms() - began;
    }
    printf("requests=%lu failed=%lu refused=%lu lost=%lu slowest_ms=%.0f\n", requests, failed, refused, lost, slowest);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    port = atoi(argv[1]);
    if (strcmp(argv[2], "load") == 0) {
        load(argv[3]);
        return 0;
    }
    int fd = argc == 5 ? dial() : -1;
    int status = fd < 0 ? -1 : ask(fd, argv[3], argv[4], "");
    if (status > 0)
        fputs(body, stdout);
    return status >= 200 && status < 300 ? 0 : 1;
}
