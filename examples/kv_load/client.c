/*
 * The client: one thread, non-blocking sockets. A request never waits for another: it has a connection of its own, or takes an idle one
 * of those that are kept open, or opens one more. A server may close a connection that is idle, or say that it will: then the next
 * request opens a new one. If it closes one while a request is on it, that request has failed.
 */
#define _GNU_SOURCE
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEPT = BUSY_CONNECTIONS + SILENT_CONNECTIONS, MAX_CONNECTIONS = 16384, BUFFER = 2048 };
#define TIMEOUT_NS 5000000000ll

struct connection {
    int fd, kept; /* fd -1: free */
    struct request *request; /* NULL: idle */
    int64_t opened_ns;
    char out[512], in[BUFFER];
    size_t out_length, out_done, in_length;
};

static struct connection *connections; /* the first ones are those that are kept open */
static struct connection **unused;     /* of the others */
static int epoll_fd, unused_count, top = KEPT;
static struct sockaddr_in server = {.sin_family = AF_INET};

void client_begin(int epoll, int port)
{
    epoll_fd = epoll;
    server.sin_port = htons((uint16_t)port);
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connections = calloc(MAX_CONNECTIONS, sizeof *connections);
    unused = calloc(MAX_CONNECTIONS, sizeof *unused);
    if (connections == NULL || unused == NULL)
        fatal("out of memory");
    for (int i = 0; i < KEPT; i++)
        connections[i] = (struct connection){.fd = -1, .kept = 1};
}

static void hang_up(struct connection *connection)
{
    close(connection->fd); /* which takes it out of the epoll as well */
    connection->fd = -1;
    if (!connection->kept)
        unused[unused_count++] = connection;
}

static void fail(struct connection *connection, const char *why)
{
    struct request *request = connection->request;
    connection->request = NULL;
    hang_up(connection);
    request->done_ns = now_ns();
    pending--;
    if (request->kind == UPGRADE)
        server_upgrade_answered(0);
    else
        judge_failure(request, why, connection->opened_ns);
}

static void write_out(struct connection *connection)
{
    while (connection->out_done < connection->out_length) {
        const char *rest = connection->out + connection->out_done;
        ssize_t written = send(connection->fd, rest, connection->out_length - connection->out_done, MSG_NOSIGNAL);
        if (written < 0 && errno == EAGAIN)
            return;
        if (written < 0) {
            fail(connection, strerror(errno));
            return;
        }
        connection->out_done += (size_t)written;
    }
}

static void open_connection(struct connection *connection)
{
    connection->opened_ns = now_ns();
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event interest = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = connection};
    if (connection->fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->fd, &interest) != 0)
        fatal("socket: %s", strerror(errno));
    int on = 1;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(connection->fd, (struct sockaddr *)&server, sizeof server) != 0 && errno != EINPROGRESS)
        fail(connection, strerror(errno));
}

static struct connection *choose(enum way way)
{
    static int turn;
    int from = way == BUSY ? 0 : BUSY_CONNECTIONS, count = way == BUSY ? BUSY_CONNECTIONS : way == SILENT ? SILENT_CONNECTIONS : 0;
    for (int i = 0; i < count; i++) {
        struct connection *connection = &connections[from + (turn + i) % count];
        if (connection->request == NULL) {
            turn++;
            return connection;
        }
    }
    if (unused_count > 0)
        return unused[--unused_count];
    if (top == MAX_CONNECTIONS)
        fatal("%d requests wait for an answer", top);
    connections[top].fd = -1;
    return &connections[top++];
}

void client_send(struct request *request)
{
    struct connection *connection = choose(request->way);
    const char *close = connection->kept ? "" : "Connection: close\r\n";
    char key[16];
    snprintf(key, sizeof key, "%s%u", request->key < HOT_KEYS ? "hot" : "k", request->key);
    request->sent_ns = now_ns();
    connection->request = request;
    connection->in_length = connection->out_done = 0;
    pending++;
    if (request->kind == PUT) {
        judge_sends(request);
        connection->out_length = (size_t)snprintf(connection->out, sizeof connection->out,
                                                  "PUT /%s HTTP/1.1\r\nHost: kv\r\n%sContent-Length: %d\r\n\r\n%-*u", key, close,
                                                  VALUE_LENGTH, VALUE_LENGTH, (unsigned)(request - requests));
    } else {
        judge_sends(request);
        connection->out_length = (size_t)snprintf(
            connection->out, sizeof connection->out, "%s /%s HTTP/1.1\r\nHost: kv\r\n%s%s\r\n", request->kind == UPGRADE ? "POST" : "GET",
            request->kind == UPGRADE ? "_upgrade" : request->kind == STAT ? "_stat" : key, close,
            request->kind == UPGRADE ? "Content-Length: 0\r\n" : "");
    }
    char byte;
    if (connection->fd >= 0 && recv(connection->fd, &byte, 1, MSG_PEEK) == 0)
        hang_up(connection); /* the server has closed it while it was idle, and may */
    if (connection->fd < 0)
        open_connection(connection); /* EPOLLOUT says when it is there */
    else
        write_out(connection);
}

/* ---- answers ---- */

static void complete(struct connection *connection, const struct answer *answer)
{
    struct request *request = connection->request;
    connection->request = NULL;
    request->done_ns = now_ns();
    pending--;
    if (answer->close || !connection->kept)
        hang_up(connection);
    if (request->kind == UPGRADE)
        server_upgrade_answered(answer->code == 202);
    else if (request->kind == STAT && answer->code == 200)
        request->sequence = strtoull(strstr(answer->body, "\"sequence\":") + 11, NULL, 10);
    else
        judge_answer(request, answer);
}

/* Whether the answer is whole; then it is dealt with. */
static int parse(struct connection *connection)
{
    connection->in[connection->in_length] = '\0';
    char *head = connection->in, *end = strstr(head, "\r\n\r\n");
    if (end == NULL)
        return 0;
    struct answer answer = {.body = end + 4};
    sscanf(head, "HTTP/1.1 %d", &answer.code);
    for (char *line = strstr(head, "\r\n") + 2; line < end + 2; line = strstr(line, "\r\n") + 2) {
        if (strncasecmp(line, "Content-Length: ", 16) == 0)
            answer.length = strtoul(line + 16, NULL, 10);
        else if (strncasecmp(line, "Kv-Sequence: ", 13) == 0)
            answer.sequence = strtoull(line + 13, NULL, 10);
        else if (strncasecmp(line, "Connection: close", 17) == 0)
            answer.close = 1;
    }
    if ((size_t)(connection->in + connection->in_length - answer.body) < answer.length)
        return 0;
    complete(connection, &answer);
    return 1;
}

static void read_in(struct connection *connection)
{
    for (;;) {
        ssize_t got = recv(connection->fd, connection->in + connection->in_length, BUFFER - 1 - connection->in_length, 0);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            if (connection->request)
                fail(connection, got < 0 ? strerror(errno) : connection->in_length ? "half an answer" : "closed without an answer");
            else
                hang_up(connection);
            return;
        }
        connection->in_length += (size_t)got;
        if (connection->request == NULL || connection->in_length == BUFFER - 1)
            fatal("the server says what nobody has asked for");
        if (parse(connection) && connection->fd < 0)
            return;
    }
}

void client_ready(void *data, uint32_t events)
{
    struct connection *connection = data;
    if (connection->fd < 0)
        return; /* closed earlier in this round */
    if (connection->request && (events & EPOLLOUT))
        write_out(connection);
    if (connection->fd >= 0 && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
        read_in(connection);
}

void client_overdue(void)
{
    int64_t now = now_ns();
    for (int i = 0; i < top; i++)
        if (connections[i].fd >= 0 && connections[i].request && now - connections[i].request->start_ns > TIMEOUT_NS)
            fail(&connections[i], "no answer");
}

void client_end(void)
{
    for (int i = 0; i < top; i++)
        if (connections[i].fd >= 0)
            hang_up(&connections[i]);
    free(connections);
    free(unused);
}
