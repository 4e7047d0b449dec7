/*
 * A counter with a log, over HTTP, which hands over to its next generation, whatever language that one is written in. tally.c, tally.cpp and
 * tally.py are the same server three times. What they have in common is this page, and nothing else:
 *
 *     POST /TEXT           adds a record; its number is the answer's "records", which comes when the record is durable
 *     GET /                how many there are
 *     the answer           {"records":N,"served":N,"generation":N,"language":"c","pid":N}. Connections are kept, requests have no body
 *
 *     DIRECTORY/log        a record a line: storage. A line without an end was never acknowledged
 *     DIRECTORY/control    where the generations meet
 *     DIRECTORY/next       what SIGUSR2 starts as the next generation: a program, a link to one, a script that execs one
 *
 *     handed on            "http", the listener; connections, with what was read of a request that is not whole; as revision, the number of
 *                          records; as state, the text "tally 1\nserved N\n" (requests answered, which storage does not have). Who reads a
 *                          state passes over lines that it does not know: the next version has more
 *
 * O_NONBLOCK belongs to a socket, not to a process: the listener and all connections have it, from whoever made them, and nobody changes it.
 *
 * The first generation is given its listener as systemd does it (LISTEN_FDS), for example:
 *
 *     systemd-socket-activate -l 8080 --fdname=http ./tally /var/lib/tally &
 *     curl -X POST localhost:8080/hello
 *     ln -sf $PWD/tally.py /var/lib/tally/next; kill -USR2 %1; curl localhost:8080
 *
 *     cc tally.c $(pkg-config --cflags --libs procsup) -o tally
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <procsup.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

enum { MOST = 1000, HEAD_MAX = 4096, DEADLINE_MS = 20000, SEAL_MS = 2000, LIVE_MS = 5000 };

static struct connection {
    int fd;
    size_t length;
    char read[HEAD_MAX]; /* of a request that is not whole */
} connections[MOST];
static int count;

static ps_handoff *handoff;
static int32_t role;
static uint64_t generation, served;
static int listener = -1;
static bool serving, leaving;
static const char *directory;
static size_t limit = 256;

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    static char line[16384];
    int length = snprintf(line, sizeof line, "%d c %" PRIu64 " ", (int)getpid(), generation);
    va_list arguments;
    va_start(arguments, format);
    length += vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
    va_end(arguments);
    if (length > (int)sizeof line - 2)
        length = sizeof line - 2;
    line[length++] = '\n';
    if (write(STDERR_FILENO, line, (size_t)length) < 0) /* in one piece: the generations share it */
        return;
}

/* An exit without ps_handoff_free is a crash to the other generation, which goes on in our place: just what is wanted here. */
static _Noreturn void fatal(const char *what, ps_error *error)
{
    note("fatal: %s: %s", what, error ? ps_error_message(error) : strerror(errno));
    _exit(1);
}

/* ---- the log ---- */

static int log_fd;
static off_t log_end; /* of the last whole line that we know */
static uint64_t records;

/* What has come since. The old generation may still write, so half a line is only one that is read later. */
static void log_read(void)
{
    char chunk[65536];
    for (ssize_t got; (got = pread(log_fd, chunk, sizeof chunk, log_end)) > 0;) {
        char *last = memrchr(chunk, '\n', (size_t)got);
        if (!last)
            return;
        for (char *at = chunk; at <= last; at++)
            records += *at == '\n';
        log_end += last + 1 - chunk;
    }
}

/* Nobody has sealed. What is whole counts, acknowledged or not; half a line is a crash's. */
static void log_repair(void)
{
    log_read();
    if (ftruncate(log_fd, log_end) != 0 || fdatasync(log_fd) != 0)
        fatal("log", NULL);
}

static void log_add(const char *text, size_t length)
{
    char line[HEAD_MAX];
    memcpy(line, text, length);
    line[length++] = '\n';
    if (pwrite(log_fd, line, length, log_end) != (ssize_t)length || fdatasync(log_fd) != 0)
        fatal("log", NULL);
    log_end += (off_t)length;
    records++;
}

/* ---- requests ---- */

static bool answer(int fd, const char *status)
{
    char body[256], text[512];
    int length = snprintf(body, sizeof body, "{\"records\":%" PRIu64 ",\"served\":%" PRIu64 ",\"generation\":%" PRIu64 ",\"language\":\"c\",\"pid\":%d}\n",
                          records, ++served, generation, (int)getpid());
    length = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, length, body);
    return send(fd, text, (size_t)length, MSG_NOSIGNAL) == length; /* who has not read the last ones has lost this one */
}

static bool serve_request(int fd, char *head, size_t length)
{
    head[length - 1] = 0;
    char *method = strsep(&head, " "), *path = head ? strsep(&head, " ") : NULL;
    bool adds = strcmp(method, "POST") == 0 && path && path[0] == '/';
    size_t text = adds ? strlen(path + 1) : 0;
    if (text > limit)
        return answer(fd, "414 URI Too Long");
    if (text > 0 && !memchr(path, '\n', text + 1))
        log_add(path + 1, text);
    else if (adds || strcmp(method, "GET") != 0)
        return answer(fd, "400 Bad Request");
    return answer(fd, "200 OK");
}

/* All requests that are whole; what is left is the beginning of one. */
static bool serve(struct connection *c)
{
    for (char *end; (end = memmem(c->read, c->length, "\r\n\r\n", 4)) != NULL;) {
        size_t length = (size_t)(end + 4 - c->read);
        if (!serve_request(c->fd, c->read, length))
            return false;
        memmove(c->read, end + 4, c->length -= length);
    }
    return c->length < sizeof c->read;
}

/* shutdown(2) first: for as long as the old generation stands by, it has this connection as well. */
static void drop(struct connection *c)
{
    shutdown(c->fd, SHUT_RDWR);
    close(c->fd);
    *c = connections[--count];
}

static void serve_readable(struct connection *c)
{
    ssize_t got = recv(c->fd, c->read + c->length, sizeof c->read - c->length, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0)
        c->length += (size_t)got;
    if (got <= 0 || !serve(c))
        drop(c);
}

static void accept_one(void)
{
    int fd = count < MOST ? accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
    if (fd >= 0)
        connections[count++] = (struct connection){.fd = fd};
}

/* ---- the handoff ---- */

static void give_up(const char *why)
{
    note("failed: %s", why);
    ps_handoff_failed(handoff, why, NULL);
    ps_handoff_free(handoff);
    exit(1);
}

static void live(const ps_handoff_event *event)
{
    int fd = -1;
    char state[256] = "";
    size_t length = 0;
    if (event->unsealed || role == PS_HANDOFF_FIRST)
        log_repair();
    else
        log_read();
    if (!event->unsealed && role != PS_HANDOFF_FIRST && records != event->revision)
        give_up("the log is not the one that was sealed");
    if (ps_handoff_state(handoff, state, sizeof state - 1, &length, NULL) == PS_OK && strncmp(state, "tally 1\n", 8) == 0 && strstr(state, "\nserved "))
        served = strtoull(strstr(state, "\nserved ") + 8, NULL, 10);
    ps_handoff_generation(handoff, &generation, NULL);
    while (count < MOST && ps_handoff_take_connection(handoff, &fd, connections[count].read, HEAD_MAX, &connections[count].length, NULL) == PS_OK)
        connections[count++].fd = fd; /* those for which there is no room end at ps_handoff_live */
    serving = true;
    ps_handoff_live(handoff, NULL);
    note("serves connections=%d records=%" PRIu64, count, records);
}

static void seal(void)
{
    char state[64];
    serving = false;
    for (int i = 0; i < count; i++)
        ps_handoff_pass_connection(handoff, connections[i].fd, connections[i].read, connections[i].length, NULL);
    int length = snprintf(state, sizeof state, "tally 1\nserved %" PRIu64 "\n", served);
    ps_handoff_set_state(handoff, state, (size_t)length, NULL);
    ps_handoff_sealed(handoff, records, NULL); /* too late? RESUME is on its way */
}

static void resume(const ps_handoff_event *event)
{
    if (event->unsealed) { /* the successor may have written, and may have read from what was passed on */
        log_repair();
        while (count > 0)
            drop(&connections[count - 1]);
    }
    serving = true;
}

static void note_outcome(void)
{
    char text[8192];
    if (ps_handoff_outcome_text(handoff, 0, PS_RENDER_JSON, text, sizeof text, NULL, NULL) == PS_OK)
        note("outcome %s", text);
}

static _Noreturn void leave(int code)
{
    ps_handoff_free(handoff);
    exit(code); /* whatever was acknowledged is durable */
}

static void hear(const ps_handoff_event *event)
{
    switch (event->kind) {
    case PS_HANDOFF_LIVE: live(event); break;
    case PS_HANDOFF_DRAIN: ps_handoff_drained(handoff, (uint32_t)count, NULL); break;
    case PS_HANDOFF_SEAL: seal(); break;
    case PS_HANDOFF_RESUME: resume(event); break;
    case PS_HANDOFF_COMMITTED:
        if (event->phase == PS_HANDOFF_PHASE_SETTLED)
            note_outcome(); /* and here a service manager is told: examples/kv/service.c */
        break;
    case PS_HANDOFF_RETIRE:
        note_outcome();
        leave(0);
    case PS_HANDOFF_ABORTED:
        note_outcome();
        if (event->phase == PS_HANDOFF_PHASE_GONE)
            leave(1);
        break;
    }
}

static void upgrade(void)
{
    char path[4096];
    ps_command *next = NULL;
    ps_error *error = NULL;
    snprintf(path, sizeof path, "%s/next", directory);
    if (ps_command_new(path, &next, &error) != PS_OK || ps_command_arg(next, directory, &error) != PS_OK ||
        ps_handoff_upgrade(handoff, next, DEADLINE_MS, &error) != PS_OK)
        note("not upgraded: %s", ps_error_message(error));
    ps_error_free(error);
    ps_command_free(next);
}

static void take_signal(int signals)
{
    struct signalfd_siginfo told;
    int32_t phase = PS_HANDOFF_PHASE_GONE;
    if (read(signals, &told, sizeof told) != sizeof told)
        return;
    leaving |= told.ssi_signo == SIGTERM;
    ps_handoff_phase(handoff, &phase, NULL);
    if (told.ssi_signo == SIGUSR2)
        upgrade();
    else if (phase != PS_HANDOFF_PHASE_STANDBY) /* there RETIRE comes, or RESUME */
        leave(0);
}

/* Everything that may take long, or fail: the old generation serves meanwhile. */
static void load(const char *limit_text)
{
    char *end = NULL;
    if (limit_text && (limit = strtoul(limit_text, &end, 10), *end != 0 || limit < 1 || limit >= HEAD_MAX - 1))
        give_up("--limit is no number of bytes");
    log_read();
}

int main(int argc, char **argv)
{
    char path[4096];
    const char *limit_text = NULL;
    int64_t probation_ms = 2000;
    ps_error *error = NULL;
    int32_t fd = -1;
    for (int i = 2; i < argc; i += 2) {
        if (i + 1 < argc && strcmp(argv[i], "--limit") == 0)
            limit_text = argv[i + 1]; /* bytes of a record */
        else if (i + 1 < argc && strcmp(argv[i], "--probation") == 0)
            probation_ms = atoll(argv[i + 1]);
        else
            argc = 0;
    }
    if (argc < 2) {
        fprintf(stderr, "usage: tally DIRECTORY [--limit BYTES] [--probation MS]\n");
        return 2;
    }
    directory = argv[1];

    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    snprintf(path, sizeof path, "%s/log", directory);
    if (signals < 0 || (log_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
        fatal(path, NULL);

    snprintf(path, sizeof path, "%s/control", directory);
    if (ps_handoff_new(path, &handoff, &error) != PS_OK)
        fatal(path, error);
    ps_handoff_role(handoff, &role, NULL);
    ps_handoff_set_build_id(handoff, "tally in C", NULL);
    ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_SEAL, SEAL_MS, NULL);
    ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_LIVE, LIVE_MS, NULL);
    ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_PROBATION, probation_ms, NULL);
    if (ps_handoff_take_fd(handoff, "http", &listener, NULL) != PS_OK) {
        if (ps_listen_fd_named("http", &listener, &error) != PS_OK || ps_handoff_set_fd(handoff, "http", listener, &error) != PS_OK)
            fatal("no listener", error);
        fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK); /* once, while nobody shares it */
    }
    load(limit_text);
    if (role == PS_HANDOFF_SUCCESSOR)
        ps_handoff_warm(handoff, NULL);
    ps_handoff_fd(handoff, &fd, NULL);

    for (;;) {
        struct pollfd polled[3 + MOST] = {{.fd = fd, .events = POLLIN}, {.fd = signals, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
        int of_these = serving ? count : 0;
        for (int i = 0; i < of_these; i++)
            polled[3 + i] = (struct pollfd){.fd = connections[i].fd, .events = POLLIN};
        poll(polled, (nfds_t)(serving ? 3 + of_these : 2), -1);
        /* From the last one on, so that a drop moves only what was looked at. The handoff comes last of all: after a SEAL nothing of this
           batch may be accepted or read. */
        for (int i = of_these - 1; i >= 0; i--)
            if (polled[3 + i].revents)
                serve_readable(&connections[i]);
        if (serving && polled[2].revents)
            accept_one();
        if (polled[1].revents)
            take_signal(signals);
        ps_handoff_event event = {.size = sizeof event};
        ps_status status;
        while ((status = ps_handoff_next_event(handoff, 0, &event, &error)) == PS_OK)
            hear(&event);
        if (status != PS_PENDING)
            fatal("handoff", error);
        if (leaving && serving)
            leave(0);
    }
}
