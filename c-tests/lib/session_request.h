/*
 * The protocol in which workers of Ruby and Python take a request ("session"): four bytes of length, big-endian, then so many bytes of names and
 * values that each end with a NUL, then the body; the answer is HTTP/1.1. One connection per request, over a unix socket. And plain HTTP over
 * either kind of socket, for workers that speak that.
 *
 * The trap: a Ruby worker keeps the connection, and with it its only thread, unless the request has CONTENT_LENGTH (even 0). Whoever leaves it out
 * and reads to the end of file waits for ever.
 */
#ifndef PROCSUP_TEST_SESSION_REQUEST_H
#define PROCSUP_TEST_SESSION_REQUEST_H

#include "harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

typedef struct session_request {
    const char *method, *uri;      /* NULL: GET /hello */
    const char *content_length;    /* NULL: not said */
    bool half_close;               /* nothing more will come from here */
    const char *const *more;       /* further names and values, one after the other; NULL ends them */
    int timeout_ms;                /* 0: as long as a test waits for anything */
} session_request;

/* Puts name and value behind what stands there. */
HARNESS void session_pair(char *head, size_t cap, size_t *length, const char *name, const char *value)
{
    size_t a = strlen(name) + 1, b = strlen(value) + 1;
    CHECK(*length + a + b <= cap);
    memcpy(head + *length, name, a);
    memcpy(head + *length + a, value, b);
    *length += a + b;
}

/* The header block of a request with its length before it; gives how many bytes that are. */
HARNESS size_t session_head(const session_request *request, char *out, size_t cap)
{
    const char *uri = request->uri ? request->uri : "/hello";
    size_t length = 4;
    session_pair(out, cap, &length, "REQUEST_METHOD", request->method ? request->method : "GET");
    session_pair(out, cap, &length, "PATH_INFO", uri);
    session_pair(out, cap, &length, "REQUEST_URI", uri);
    session_pair(out, cap, &length, "SCRIPT_NAME", "");
    session_pair(out, cap, &length, "QUERY_STRING", "");
    session_pair(out, cap, &length, "SERVER_NAME", "localhost");
    session_pair(out, cap, &length, "SERVER_PORT", "80");
    session_pair(out, cap, &length, "SERVER_PROTOCOL", "HTTP/1.1");
    if (request->content_length)
        session_pair(out, cap, &length, "CONTENT_LENGTH", request->content_length);
    for (const char *const *more = request->more; more && more[0]; more += 2)
        session_pair(out, cap, &length, more[0], more[1]);
    uint32_t announced = htonl((uint32_t)(length - 4));
    memcpy(out, &announced, 4);
    return length;
}

/* Connected to "unix:/path" or "tcp://host:port", or -1. */
HARNESS int connect_to_address(const char *address)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in remote = {.sin_family = AF_INET};
    bool is_unix = strncmp(address, "unix:", 5) == 0;
    if (is_unix) {
        CHECK(strlen(address + 5) < sizeof local.sun_path);
        strcpy(local.sun_path, address + 5);
    } else {
        char host[64];
        unsigned port;
        CHECK(sscanf(address, "tcp://%63[^:]:%u", host, &port) == 2);
        CHECK(inet_pton(AF_INET, host, &remote.sin_addr) == 1);
        remote.sin_port = htons((uint16_t)port);
    }
    int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    struct sockaddr *to = is_unix ? (struct sockaddr *)&local : (struct sockaddr *)&remote;
    if (connect(fd, to, is_unix ? sizeof local : sizeof remote) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* What comes until the end of file, for free(); NULL if that does not come in time. */
HARNESS char *answer_until_end(int fd, int timeout_ms)
{
    size_t length = 0, cap = 4096;
    char *text = malloc(cap);
    int64_t until = now_ms() + timeout_ms;
    for (;;) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        int64_t left = until - now_ms();
        if (poll(&readable, 1, left > 0 ? (int)left : 0) <= 0) {
            free(text);
            return NULL;
        }
        ssize_t got = read(fd, text + length, cap - length - 1);
        if (got <= 0)
            break;
        length += (size_t)got;
        if (cap - length < 1024)
            text = realloc(text, cap *= 2);
    }
    text[length] = 0;
    return text;
}

/* Sends it and reads the whole answer, for free(); NULL if it does not end in time. */
HARNESS char *session_ask(const char *address, session_request request)
{
    char head[4096];
    size_t length = session_head(&request, head, sizeof head);
    int fd = connect_to_address(address);
    CHECK(fd >= 0);
    CHECK_INT(send(fd, head, length, MSG_NOSIGNAL), length);
    if (request.half_close)
        CHECK(shutdown(fd, SHUT_WR) == 0);
    char *answer = answer_until_end(fd, request.timeout_ms ? request.timeout_ms : 20000 * slowness());
    close(fd);
    return answer;
}

/* The same of one that speaks HTTP. */
HARNESS char *http_ask(const char *address, const char *uri)
{
    int fd = connect_to_address(address);
    CHECK(fd >= 0);
    CHECK(dprintf(fd, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", uri) > 0);
    char *answer = answer_until_end(fd, 20000 * slowness());
    close(fd);
    return answer;
}

#endif
