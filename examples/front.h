/*
 * The HTTP side of serve_rack.c and serve_wsgi.c: it accepts on 127.0.0.1, reads a request, and passes it to a worker in the "session" protocol
 * that Passenger's loaders for Ruby and Python speak: four bytes of length, big-endian, then names and values that each end with a NUL. The answer of
 * a worker is HTTP already, up to the end of its connection. procsup has no part in this; for that read serve_*.c.
 *
 *     front_open(&front, port)            listens; port 0: any (front.port)
 *     front_watch(&front, fds)            what it waits for, for poll(2); gives how many
 *     front_work(&front, fds, pick)       does what can be done; pick() chooses a worker: the path of its socket, or NULL
 *
 * It is small, not good: only GET and HEAD, heads up to 4 KiB, and a client that does not take its answer is dropped, with what it misses.
 */
#ifndef PROCSUP_EXAMPLES_FRONT_H
#define PROCSUP_EXAMPLES_FRONT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { EXCHANGES = 32, HEAD = 4096, FRONT_FDS = 1 + EXCHANGES };

struct exchange {
    int client, worker; /* worker -1: the request is not there yet; client -1: free */
    size_t length, passed;
    char head[HEAD];
};

struct front {
    int listener;
    uint16_t port;
    struct exchange exchanges[EXCHANGES];
};

static int front_open(struct front *front, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int on = 1;
    front->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(front->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    for (int i = 0; i < EXCHANGES; i++)
        front->exchanges[i].client = front->exchanges[i].worker = -1;
    if (bind(front->listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(front->listener, 64) != 0 ||
        getsockname(front->listener, (struct sockaddr *)&address, &length) != 0)
        return -1;
    front->port = ntohs(address.sin_port);
    return 0;
}

static int front_watch(const struct front *front, struct pollfd fds[FRONT_FDS])
{
    int free_places = 0;
    for (int i = 0; i < EXCHANGES; i++) {
        const struct exchange *exchange = &front->exchanges[i];
        free_places += exchange->client < 0;
        fds[1 + i] = (struct pollfd){.fd = exchange->worker >= 0 ? exchange->worker : exchange->client, .events = POLLIN};
    }
    fds[0] = (struct pollfd){.fd = free_places > 0 ? front->listener : -1, .events = POLLIN};
    return FRONT_FDS;
}

static void exchange_end(struct exchange *exchange)
{
    if (exchange->worker >= 0)
        close(exchange->worker);
    if (exchange->client >= 0)
        close(exchange->client);
    exchange->client = exchange->worker = -1;
}

static void exchange_refuse(struct exchange *exchange, const char *status)
{
    dprintf(exchange->client, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", status);
    exchange_end(exchange);
}

static size_t add_pair(char *block, size_t length, const char *name, const char *value)
{
    length += (size_t)sprintf(block + length, "%s", name) + 1;
    return length + (size_t)sprintf(block + length, "%s", value) + 1;
}

/* The whole request in the protocol of the worker; gives how many bytes that are. `block` has room for more than a head. */
static size_t session_request(char *block, const char *method, char *uri)
{
    size_t length = add_pair(block, 4, "REQUEST_METHOD", method);
    length = add_pair(block, length, "REQUEST_URI", uri);
    char *query = strchr(uri, '?');
    length = add_pair(block, length, "QUERY_STRING", query ? query + 1 : "");
    if (query)
        *query = 0;
    length = add_pair(block, length, "PATH_INFO", uri);
    length = add_pair(block, length, "SCRIPT_NAME", "");
    length = add_pair(block, length, "SERVER_NAME", "localhost");
    length = add_pair(block, length, "SERVER_PORT", "80");
    length = add_pair(block, length, "SERVER_PROTOCOL", "HTTP/1.1");
    length = add_pair(block, length, "CONTENT_LENGTH", "0"); /* without it a Ruby worker keeps the connection, and waits */
    uint32_t announced = htonl((uint32_t)(length - 4));
    memcpy(block, &announced, 4);
    return length;
}

/* The request is there: to whom with it? */
static void exchange_begin(struct exchange *exchange, const char *(*pick)(void))
{
    char method[8], uri[2048], block[2 * HEAD + 256];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (sscanf(exchange->head, "%7s %2047s HTTP/1.", method, uri) != 2 || (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)) {
        exchange_refuse(exchange, "400 Bad Request");
        return;
    }
    const char *path = pick();
    if (path == NULL) {
        exchange_refuse(exchange, "503 Service Unavailable");
        return;
    }
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    size_t length = session_request(block, method, uri);
    exchange->worker = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    exchange->passed = 0;
    if (connect(exchange->worker, (struct sockaddr *)&address, sizeof address) != 0 ||
        send(exchange->worker, block, length, MSG_NOSIGNAL) != (ssize_t)length)
        exchange_refuse(exchange, "502 Bad Gateway");
}

static void exchange_work(struct exchange *exchange, const char *(*pick)(void))
{
    char data[16384];
    if (exchange->worker >= 0) { /* the answer, as it comes */
        ssize_t got = read(exchange->worker, data, sizeof data);
        if (got <= 0 && exchange->passed == 0)
            exchange_refuse(exchange, "502 Bad Gateway"); /* it died with our request in its hands */
        else if (got <= 0 || send(exchange->client, data, (size_t)got, MSG_NOSIGNAL) != got)
            exchange_end(exchange);
        else
            exchange->passed += (size_t)got;
        return;
    }
    ssize_t got = read(exchange->client, exchange->head + exchange->length, HEAD - 1 - exchange->length);
    if (got <= 0) {
        exchange_end(exchange);
        return;
    }
    exchange->length += (size_t)got;
    exchange->head[exchange->length] = 0;
    if (strstr(exchange->head, "\r\n\r\n") != NULL)
        exchange_begin(exchange, pick);
    else if (exchange->length == HEAD - 1)
        exchange_refuse(exchange, "431 Request Header Fields Too Large");
}

static void front_work(struct front *front, const struct pollfd fds[FRONT_FDS], const char *(*pick)(void))
{
    for (int i = 0; i < EXCHANGES; i++)
        if (fds[1 + i].revents != 0 && fds[1 + i].fd >= 0)
            exchange_work(&front->exchanges[i], pick);
    if (fds[0].revents == 0)
        return;
    struct timeval patience = {.tv_sec = 1};
    int client = accept4(front->listener, NULL, NULL, SOCK_CLOEXEC);
    for (int i = 0; i < EXCHANGES && client >= 0; i++)
        if (front->exchanges[i].client < 0) {
            front->exchanges[i] = (struct exchange){.client = client, .worker = -1};
            setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
            return;
        }
    if (client >= 0)
        close(client);
}

/* ---- the client of the story ---- */

/* The status of one request, and the number at the begin of the page: the pid of who answered. */
static int front_ask(uint16_t port, const char *uri, int *pid)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char answer[4096] = "";
    size_t length = 0;
    int status = 0, server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(server, (struct sockaddr *)&address, sizeof address) == 0 && dprintf(server, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", uri) > 0)
        for (ssize_t got; length < sizeof answer - 1 && (got = read(server, answer + length, sizeof answer - 1 - length)) > 0;)
            length += (size_t)got;
    close(server);
    answer[length] = 0;
    const char *page = strstr(answer, "\r\n\r\n");
    *pid = page != NULL ? atoi(page + 4) : 0;
    return sscanf(answer, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

/* A program of its own: asks often, breaks a worker, asks again. 0: everything was as it must be. */
static int front_client(uint16_t port)
{
    int seen[64], kinds = 0, pid = 0;
    for (int i = 0; i < 30; i++) {
        if (front_ask(port, "/", &pid) != 200 || pid <= 0)
            return 1;
        int known = 0;
        for (int k = 0; k < kinds; k++)
            known |= seen[k] == pid;
        if (!known)
            seen[kinds++] = pid;
    }
    printf("30 requests were answered by %d workers\n", kinds);
    int status = front_ask(port, "/crash", &pid);
    printf("a request that ends its worker: %d\n", status);
    if (status != 502 || kinds < 2)
        return 1;
    for (int i = 0, refused = 0; i < 30; i++) {
        status = front_ask(port, "/", &pid);
        if (status == 502 && refused++ < 500) { /* it is on its way out, and not known to be gone yet */
            poll(NULL, 0, 10);
            i--;
        } else if (status != 200) {
            return 1;
        }
    }
    printf("30 more were answered\n");
    return 0;
}

#endif
