/*
 * The requests, and the connections on which they come:
 *
 *     PUT /key      the answer is the sequence number of the write, once it is on the disk
 *     GET /key      the value; header Kv-Sequence: that of its write
 *     GET /_stat    generation, pid, sequence, revision, keys
 *     POST /_upgrade    starts a successor (whoever can reach this port can; a real server listens elsewhere for that)
 *
 * Keys are taken as they stand in the URL, without decoding. Enough of HTTP/1.1 for that: connections are kept, bodies have a length.
 *
 * Group commit: writes that arrive in one round of the event loop share one fdatasync. They are answered, and can be read, after it.
 *
 * What is handed over: the connections. Between SEAL and RETIRE nobody here may answer, and a client that keeps its connection does not know that.
 *   - http_stop: nothing is read any more. What was read whole is answered, and the answer is with the kernel; half a request stays in `in`.
 *   - http_pass: each connection goes to the successor with `in`. Requests that arrive now wait in the socket, which is the same for both.
 *   - http_take: the successor goes on where this one has stopped. It may answer what it was sent, or wait for the rest of it.
 *   - http_start: the handoff came to nothing, and this one goes on, with its own descriptors; http_close_passed: but not on those from which
 *     the successor may have read. http_retire: it is over.
 * A client that does not read its answer keeps the rest of it here: that connection is not passed on, and ends when it has been read.
 *
 * What to know of a listener that is shared with another process:
 *   - it is non-blocking, since it was made, for another process may accept first. A successor does not touch the flag, because it belongs
 *     to the open file description, which the old generation has too;
 *   - taking it out of the event loop is enough. Never shutdown(2) it: that would end it for everybody;
 *   - an event loop that has found it readable already must not accept after SEAL. libevent forgets what it has found with the event;
 *     with bare epoll a flag is looked at before each accept(2).
 */
#define _GNU_SOURCE
#include "kv.h"
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SLOW_MS = 5 }; /* a commit that takes longer is noted: the latencies of that time are the disk's */

struct request { /* points into the connection's `in`, where it stays until it is answered */
    const char *method, *key, *body;
    size_t key_length, body_length, length; /* length: of the whole */
    int last;                               /* the client says that it will send no other */
};

struct connection {
    TAILQ_ENTRY(connection) next;
    STAILQ_ENTRY(connection) commit;
    int fd, ended, passed; /* ended: closed as soon as all is answered; passed: the successor has it, or will */
    struct event *readable, *writable;
    struct evbuffer *in, *out;
    struct request request; /* the first one in `in` */
    uint64_t sequence;      /* of its write, which the next commit makes durable; or 0 */
};

static TAILQ_HEAD(, connection) connections = TAILQ_HEAD_INITIALIZER(connections);
STAILQ_HEAD(queue, connection);
static struct queue added = STAILQ_HEAD_INITIALIZER(added); /* in the log's buffer, for the next commit */
static struct evconnlistener *listener;
static struct event *commit;
static unsigned count;
static int closing, stopped = 1;

static void go_on(struct connection *connection);

/* ---- answers ---- */

static void answer(struct connection *connection, int code, const char *reason, uint64_t sequence, const void *body, size_t length)
{
    connection->ended |= connection->request.last || closing;
    evbuffer_add_printf(connection->out, "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\n", code, reason, length);
    if (sequence > 0)
        evbuffer_add_printf(connection->out, "Kv-Sequence: %llu\r\n", (unsigned long long)sequence);
    evbuffer_add_printf(connection->out, connection->ended ? "Connection: close\r\n\r\n" : "\r\n");
    if (evbuffer_add(connection->out, body, length) != 0)
        fatal("out of memory");
    evbuffer_drain(connection->in, connection->request.length);
}

__attribute__((format(printf, 5, 6))) static void answer_text(struct connection *connection, int code, const char *reason,
                                                              uint64_t sequence, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    answer(connection, code, reason, sequence, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

/* What is no request of ours, or too large: where the next one begins nobody can tell. */
static void refuse(struct connection *connection, int code, const char *reason)
{
    connection->request = (struct request){.last = 1, .length = evbuffer_get_length(connection->in)};
    answer_text(connection, code, reason, 0, "%s\n", reason);
}

/* ---- requests ---- */

int http_commit(void)
{
    if (STAILQ_EMPTY(&added))
        return 0;
    int64_t began = now_ns();
    int status = wal_commit(), error = errno, ms = (int)((now_ns() - began) / 1000000);
    if (ms >= SLOW_MS)
        note("slow disk ms=%d", ms);
    struct queue queue = STAILQ_HEAD_INITIALIZER(queue); /* behind an answer the next write may follow, for the next commit */
    struct connection *connection;
    STAILQ_CONCAT(&queue, &added);
    while ((connection = STAILQ_FIRST(&queue)) != NULL) {
        const struct request *request = &connection->request;
        struct wal_record record = {connection->sequence, request->key, request->body, request->key_length, request->body_length};
        STAILQ_REMOVE_HEAD(&queue, commit);
        connection->sequence = 0;
        if (status == 0) {
            store_put(&record);
            answer_text(connection, 200, "OK", record.sequence, "%llu\n", (unsigned long long)record.sequence);
        } else {
            answer_text(connection, 507, "Insufficient Storage", 0, "not written: %s\n", strerror(error));
        }
        go_on(connection);
    }
    return status;
}

static void commit_now(evutil_socket_t fd, short what, void *unused)
{
    (void)fd, (void)what, (void)unused;
    if (http_commit() != 0)
        generations_cancel(); /* a successor that reads along may have seen records that were taken back */
}

static void put(struct connection *connection)
{
    const struct request *request = &connection->request;
    if (request->key_length == 0 || request->key_length > KEY_MAX || request->key[0] == '_') {
        answer_text(connection, 400, "Bad Request", 0, "a key has 1 to %d bytes and does not begin with _\n", KEY_MAX);
        return;
    }
    connection->sequence = wal_add(request->key, request->key_length, request->body, request->body_length);
    STAILQ_INSERT_TAIL(&added, connection, commit);
    event_active(commit, EV_TIMEOUT, 0); /* runs after all that is ready in this round */
}

static void get(struct connection *connection)
{
    const struct entry *entry = store_get(connection->request.key, connection->request.key_length);
    if (entry == NULL)
        answer_text(connection, 404, "Not Found", 0, "no such key\n");
    else
        answer(connection, 200, "OK", entry->sequence, entry->bytes + entry->key_length, entry->value_length);
}

static int is(const struct request *request, const char *method, const char *key)
{
    size_t length = strlen(method);
    return strncmp(request->method, method, length) == 0 && request->method[length] == ' ' &&
           (key == NULL || (request->key_length == strlen(key) && memcmp(request->key, key, request->key_length) == 0));
}

static void serve(struct connection *connection)
{
    const struct request *request = &connection->request;
    if (is(request, "PUT", NULL))
        put(connection);
    else if (is(request, "GET", "_stat"))
        answer_text(connection, 200, "OK", 0, "{\"generation\":%llu,\"pid\":%d,\"sequence\":%llu,\"revision\":%llu,\"keys\":%zu}\n",
                    (unsigned long long)generation, (int)getpid(), (unsigned long long)wal.sequence, (unsigned long long)revision,
                    store_count());
    else if (is(request, "GET", NULL))
        get(connection);
    else if (!is(request, "POST", "_upgrade"))
        answer_text(connection, 405, "Method Not Allowed", 0, "PUT /key, GET /key, GET /_stat, POST /_upgrade\n");
    else if (generations_upgrade() == 0)
        answer_text(connection, 202, "Accepted", 0, "generation %llu starts its successor\n", (unsigned long long)generation);
    else
        answer_text(connection, 409, "Conflict", 0, "a successor cannot be started now\n");
}

/* Whether `in` begins with a whole request. One that makes no sense is answered. */
static int parse(struct connection *connection)
{
    struct request *request = &connection->request;
    size_t length = evbuffer_get_length(connection->in);
    struct evbuffer_ptr found = evbuffer_search(connection->in, "\r\n\r\n", 4, NULL);
    if (found.pos < 0 && length < HEAD_MAX)
        return 0;
    if (found.pos < 0 || found.pos >= HEAD_MAX)
        return refuse(connection, 431, "Request Header Fields Too Large"), 0;
    const char *head = (const char *)evbuffer_pullup(connection->in, found.pos + 4), *end = head + found.pos + 2;
    const char *line = memmem(head, (size_t)(end - head), "\r\n", 2) + 2, *key = memmem(head, (size_t)(line - head), " /", 2);
    const char *after = key ? memchr(key + 2, ' ', (size_t)(line - key) - 2) : NULL;
    if (after == NULL || strncmp(after, " HTTP/1.", 8) != 0)
        return refuse(connection, 400, "Bad Request"), 0;
    *request = (struct request){.key_length = (size_t)(after - key) - 2, .last = after[8] == '0'};
    for (; line < end; line = (const char *)memmem(line, (size_t)(end - line), "\r\n", 2) + 2) {
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            request->body_length = strtoul(line + 15, NULL, 10);
        else if (strncasecmp(line, "Connection: close", 17) == 0)
            request->last = 1;
        else if (strncasecmp(line, "Transfer-Encoding:", 18) == 0)
            return refuse(connection, 411, "Length Required"), 0;
    }
    if (request->body_length > VALUE_MAX)
        return refuse(connection, 413, "Content Too Large"), 0;
    request->length = (size_t)found.pos + 4 + request->body_length;
    if (length < request->length)
        return 0;
    ptrdiff_t at = key + 2 - head;
    request->method = (const char *)evbuffer_pullup(connection->in, (ev_ssize_t)request->length);
    request->key = request->method + at;
    request->body = request->method + found.pos + 4;
    return 1;
}

/* ---- connections ---- */

static void close_connection(struct connection *connection)
{
    if (connection->passed)
        generations_keep(connection->fd);
    TAILQ_REMOVE(&connections, connection, next);
    event_free(connection->readable);
    event_free(connection->writable);
    evbuffer_free(connection->in);
    evbuffer_free(connection->out);
    /* While a generation stands by it has this connection, too: a close alone would end nothing. */
    shutdown(connection->fd, SHUT_RDWR);
    close(connection->fd);
    free(connection);
    count--;
}

/* 0: the client does not take it now, or is gone, and so may be the connection. */
static int send_answers(struct connection *connection)
{
    if (evbuffer_get_length(connection->out) > 0 && evbuffer_write(connection->out, connection->fd) < 0 && errno != EAGAIN) {
        close_connection(connection);
        return 0;
    }
    if (evbuffer_get_length(connection->out) == 0)
        return 1;
    if (event_add(connection->writable, NULL) != 0)
        fatal("the event loop refuses a connection");
    return 0;
}

/* Answers what there is: one request after the other. What comes behind a write waits until that is durable. */
static void go_on(struct connection *connection)
{
    while (send_answers(connection) && connection->sequence == 0) {
        if (connection->ended) {
            close_connection(connection);
            return;
        }
        if (stopped)
            return;
        if (parse(connection)) {
            serve(connection);
        } else if (evbuffer_get_length(connection->out) == 0) { /* nothing was refused either */
            if (event_add(connection->readable, NULL) != 0)
                fatal("the event loop refuses a connection");
            return;
        }
    }
}

static void readable(evutil_socket_t fd, short what, void *at)
{
    struct connection *connection = at;
    (void)what;
    if (connection->sequence || evbuffer_get_length(connection->out) > 0) {
        event_del(connection->readable); /* go_on adds it */
        return;
    }
    int got = evbuffer_read(connection->in, fd, READ_MAX);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0)
        close_connection(connection);
    else
        go_on(connection);
}

static void writable(evutil_socket_t fd, short what, void *connection)
{
    (void)fd, (void)what;
    go_on(connection);
}

static struct connection *add(int fd)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        fatal("out of memory");
    connection->fd = fd;
    connection->in = evbuffer_new();
    connection->out = evbuffer_new();
    connection->readable = event_new(base, fd, EV_READ | EV_PERSIST, readable, connection);
    connection->writable = event_new(base, fd, EV_WRITE, writable, connection);
    if (!connection->in || !connection->out || !connection->readable || !connection->writable)
        fatal("out of memory");
    TAILQ_INSERT_TAIL(&connections, connection, next);
    count++;
    return connection;
}

static void accepted(struct evconnlistener *from, evutil_socket_t fd, struct sockaddr *address, int length, void *unused)
{
    (void)from, (void)address, (void)length, (void)unused;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    go_on(add(fd));
}

unsigned http_connections(void)
{
    return count;
}

/* ---- what the handoff asks for ---- */

void http_start(int accepts)
{
    struct connection *connection, *next;
    stopped = 0;
    if (accepts ? evconnlistener_enable(listener) : evconnlistener_disable(listener))
        fatal("the event loop refuses the listener");
    for (connection = TAILQ_FIRST(&connections); connection; connection = next) {
        next = TAILQ_NEXT(connection, next);
        connection->passed = 0;
        go_on(connection);
    }
}

void http_stop(void)
{
    struct connection *connection;
    stopped = 1;
    evconnlistener_disable(listener);
    TAILQ_FOREACH(connection, &connections, next)
        event_del(connection->readable);
    http_commit();
}

void http_pass(int sealed)
{
    struct connection *connection;
    TAILQ_FOREACH(connection, &connections, next) {
        size_t length = sealed ? evbuffer_get_length(connection->in) : 0;
        if (sealed && (connection->ended || evbuffer_get_length(connection->out) > 0)) {
            if (connection->passed)
                generations_keep(connection->fd); /* it is finished here */
            connection->passed = 0;
        } else if (!connection->passed || length > 0) {
            connection->passed = generations_pass(connection->fd, length ? evbuffer_pullup(connection->in, -1) : NULL, length);
        }
    }
}

void http_take(int fd, const void *read, size_t length)
{
    if (evbuffer_add(add(fd)->in, read, length) != 0)
        fatal("out of memory");
}

void http_close_passed(void)
{
    struct connection *connection, *next;
    for (connection = TAILQ_FIRST(&connections); connection; connection = next) {
        next = TAILQ_NEXT(connection, next);
        if (connection->passed)
            close_connection(connection);
    }
}

void http_retire(void)
{
    struct connection *connection, *next;
    for (connection = TAILQ_FIRST(&connections); connection; connection = next) {
        next = TAILQ_NEXT(connection, next);
        if (connection->passed) {
            close(connection->fd); /* which leaves it open for the successor; a shutdown(2) would not */
            connection->fd = -1;
            close_connection(connection);
        } else {
            connection->ended = 1; /* as soon as the client has read its answer */
            go_on(connection);
        }
    }
}

void http_say_close(int on)
{
    closing = on;
}

/* ---- beginning and end ---- */

void http_begin(int fd)
{
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &length) != 0)
        fatal("the listener: %s", strerror(errno));
    note("listener port=%d", ntohs(name.sin_port));
    commit = event_new(base, -1, 0, commit_now, NULL);
    /* A backlog of 0: it listens already. */
    listener = evconnlistener_new(base, accepted, NULL, LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE | LEV_OPT_DISABLED, 0, fd);
    if (commit == NULL || listener == NULL)
        fatal("the HTTP server cannot be made");
}

void http_end(void)
{
    while (!TAILQ_EMPTY(&connections))
        close_connection(TAILQ_FIRST(&connections));
    event_free(commit);
    evconnlistener_free(listener); /* closes our duplicate of the listener */
}
