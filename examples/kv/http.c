/*
 * The requests, on libevent's evhttp:
 *
 *     PUT /key      the answer is the sequence number of the write, once it is on the disk
 *     GET /key      the value; header Kv-Sequence: that of its write
 *     GET /_stat    generation, pid, sequence, revision, keys
 *     POST /_upgrade    starts a successor (whoever can reach this port can; a real server listens elsewhere for that)
 *
 * Keys are taken as they stand in the URL, without decoding.
 *
 * Group commit: writes that arrive in one round of the event loop share one fdatasync. They are answered, and can be read, after it.
 *
 * What to know of evhttp when its listener is shared with another process:
 *   - it accepts until accept says EAGAIN, so the listener must be non-blocking: it is, since it was made. A successor does not touch the
 *     flag, because it belongs to the open file description, which the old generation has too;
 *   - disabling its listener takes it out of the event loop and nothing else. Never shutdown(2) it: that would end it for everybody;
 *   - a request that is not answered yet survives its connection. evhttp_send_reply then just frees it.
 */
#define _GNU_SOURCE
#include "kv.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SLOW_MS = 5 }; /* a commit that takes longer is noted: the latencies of that time are the disk's */

struct pending {
    STAILQ_ENTRY(pending) next;
    struct evhttp_request *request;
    uint64_t sequence;
};
STAILQ_HEAD(queue, pending);

static struct evhttp *http;
static struct evconnlistener *listener;
static struct event *commit;
static struct queue added = STAILQ_HEAD_INITIALIZER(added); /* in the log's buffer, for the next commit */
static struct queue kept = STAILQ_HEAD_INITIALIZER(kept);   /* not looked at yet: nobody is the owner */
static enum where where = KEPT;
static int closing, own_port;

static void keep(struct queue *queue, struct evhttp_request *request, uint64_t sequence)
{
    struct pending *pending = malloc(sizeof *pending);
    if (pending == NULL)
        fatal("out of memory");
    *pending = (struct pending){.request = request, .sequence = sequence};
    STAILQ_INSERT_TAIL(queue, pending, next);
}

void http_answer(struct evhttp_request *request, int code, const char *reason, struct evbuffer *body)
{
    if (closing)
        evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
    evhttp_send_reply(request, code, reason, body);
}

__attribute__((format(printf, 4, 5))) static void answer_text(struct evhttp_request *request, int code, const char *reason,
                                                              const char *format, ...)
{
    struct evbuffer *body = evbuffer_new();
    va_list arguments;
    va_start(arguments, format);
    if (body == NULL || evbuffer_add_vprintf(body, format, arguments) < 0)
        fatal("out of memory");
    va_end(arguments);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "text/plain");
    http_answer(request, code, reason, body);
    evbuffer_free(body);
}

static void add_sequence(struct evhttp_request *request, uint64_t sequence)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)sequence);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Kv-Sequence", text);
}

/* "/key" without the slash. */
static const char *key_of(struct evhttp_request *request)
{
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
    return path && path[0] == '/' ? path + 1 : "";
}

static struct wal_record record_of(const struct pending *pending)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(pending->request);
    struct wal_record record = {.sequence = pending->sequence, .key = key_of(pending->request)};
    record.key_length = strlen(record.key);
    record.value_length = evbuffer_get_length(body);
    record.value = (const char *)evbuffer_pullup(body, -1);
    return record;
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
    struct pending *pending;
    while ((pending = STAILQ_FIRST(&added)) != NULL) {
        STAILQ_REMOVE_HEAD(&added, next);
        if (status == 0) {
            struct wal_record record = record_of(pending);
            store_put(&record);
            add_sequence(pending->request, pending->sequence);
            answer_text(pending->request, 200, "OK", "%llu\n", (unsigned long long)pending->sequence);
        } else {
            answer_text(pending->request, 507, "Insufficient Storage", "not written: %s\n", strerror(error));
        }
        free(pending);
    }
    return status;
}

static void commit_now(evutil_socket_t fd, short what, void *unused)
{
    (void)fd, (void)what, (void)unused;
    if (http_commit() != 0)
        generations_cancel(); /* a successor that reads along may have seen records that were taken back */
}

static void put(struct evhttp_request *request)
{
    struct pending pending = {.request = request};
    struct wal_record record = record_of(&pending);
    if (record.key_length == 0 || record.key_length > KEY_MAX || record.key[0] == '_') {
        answer_text(request, 400, "Bad Request", "a key has 1 to %d bytes and does not begin with _\n", KEY_MAX);
        return;
    }
    keep(&added, request, wal_add(record.key, record.key_length, record.value, record.value_length));
    event_active(commit, EV_TIMEOUT, 0); /* runs after all that is ready in this round */
}

static void get(struct evhttp_request *request)
{
    const char *key = key_of(request);
    const struct entry *entry = store_get(key, strlen(key));
    if (entry == NULL) {
        answer_text(request, 404, "Not Found", "no such key\n");
        return;
    }
    struct evbuffer *body = evbuffer_new();
    if (body == NULL || evbuffer_add(body, entry->bytes + entry->key_length, entry->value_length) != 0)
        fatal("out of memory");
    add_sequence(request, entry->sequence);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "application/octet-stream");
    http_answer(request, 200, "OK", body);
    evbuffer_free(body);
}

static void tell_state(struct evhttp_request *request)
{
    answer_text(request, 200, "OK", "{\"generation\":%llu,\"pid\":%d,\"sequence\":%llu,\"revision\":%llu,\"keys\":%zu}\n",
                (unsigned long long)generation, (int)getpid(), (unsigned long long)wal.sequence, (unsigned long long)revision,
                store_count());
}

static void upgrade(struct evhttp_request *request)
{
    if (generations_upgrade() == 0)
        answer_text(request, 202, "Accepted", "generation %llu starts its successor\n", (unsigned long long)generation);
    else
        answer_text(request, 409, "Conflict", "a successor cannot be started now\n");
}

static void serve(struct evhttp_request *request)
{
    const char *key = key_of(request);
    enum evhttp_cmd_type command = evhttp_request_get_command(request);
    if (command == EVHTTP_REQ_PUT)
        put(request);
    else if (command == EVHTTP_REQ_GET && strcmp(key, "_stat") == 0)
        tell_state(request);
    else if (command == EVHTTP_REQ_GET)
        get(request);
    else if (command == EVHTTP_REQ_POST && strcmp(key, "_upgrade") == 0)
        upgrade(request);
    else
        answer_text(request, 405, "Method Not Allowed", "PUT /key, GET /key, GET /_stat, POST /_upgrade\n");
}

static void arrived(struct evhttp_request *request, void *unused)
{
    (void)unused;
    if (where == HERE)
        serve(request);
    else if (where == AHEAD)
        relay(request);
    else
        keep(&kept, request, 0);
}

void http_where(enum where now)
{
    where = now;
    if (where == KEPT)
        return;
    struct queue queue = STAILQ_HEAD_INITIALIZER(queue);
    STAILQ_CONCAT(&queue, &kept);
    struct pending *pending;
    while ((pending = STAILQ_FIRST(&queue)) != NULL) {
        STAILQ_REMOVE_HEAD(&queue, next);
        arrived(pending->request, NULL);
        free(pending);
    }
}

/* ---- connections ---- */

/* evhttp does not say when a connection begins or ends (2.2 will), the kernel does: connected sockets whose own port is ours. Looked
   at only while this generation hands over or leaves. */
unsigned http_connections(void)
{
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    struct dirent *entry;
    while (directory && (entry = readdir(directory)) != NULL) {
        struct sockaddr_in own = {0}, peer;
        socklen_t own_length = sizeof own, peer_length = sizeof peer;
        int fd = atoi(entry->d_name);
        count += getsockname(fd, (struct sockaddr *)&own, &own_length) == 0 && own.sin_family == AF_INET &&
                 ntohs(own.sin_port) == own_port && getpeername(fd, (struct sockaddr *)&peer, &peer_length) == 0;
    }
    if (directory)
        closedir(directory);
    return count;
}

void http_accept(int on)
{
    if (on ? evconnlistener_enable(listener) : evconnlistener_disable(listener))
        fatal("the event loop refuses the listener");
}

void http_say_close(int on)
{
    closing = on;
}

void http_begin(int fd)
{
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    char address[INET_ADDRSTRLEN];
    if (getsockname(fd, (struct sockaddr *)&name, &length) != 0)
        fatal("the listener: %s", strerror(errno));
    own_port = ntohs(name.sin_port);
    if (name.sin_family != AF_INET || !inet_ntop(AF_INET, &name.sin_addr, address, sizeof address))
        fatal("the listener has no IPv4 address");
    relay_to(address, own_port);
    note("listener address=%s port=%d", address, own_port);

    http = evhttp_new(base);
    commit = event_new(base, -1, 0, commit_now, NULL);
    /* A backlog of 0: it listens already. */
    listener = evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE | LEV_OPT_DISABLED, 0, fd);
    if (http == NULL || commit == NULL || listener == NULL || evhttp_bind_listener(http, listener) == NULL)
        fatal("the HTTP server cannot be made");
    evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_PUT | EVHTTP_REQ_POST);
    evhttp_set_max_body_size(http, VALUE_MAX);
    evhttp_set_max_headers_size(http, 2 * KEY_MAX);
    evhttp_set_gencb(http, arrived, NULL);
}

void http_end(void)
{
    event_free(commit);
    evhttp_free(http); /* closes our duplicate of the listener, and what connections are left */
}
