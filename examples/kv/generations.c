/*
 * The handoff: how this server is replaced, and how it replaces. Everything procsup asks for comes as an event, through one descriptor
 * in the event loop; a cold start has the same events as an upgrade, so there is one way to begin.
 *
 *     what happens                     the old generation (owner)               the new generation (successor)
 *     -----------------------------    -------------------------------------    ---------------------------------------------
 *     POST /_upgrade or SIGUSR2        ps_handoff_upgrade: starts it            takes the listener, reads the log, _warm
 *     DRAIN                            passes its connections on, _drained      goes on reading the log as it grows
 *     SEAL                             stops reading, commits, answers, passes
 *                                      on what is new and half read, _sealed
 *     LIVE (the gap is from there                                               reads what is left of the log, accepts, takes the
 *           to here)                                                            connections, _live
 *     COMMITTED (old)                  touches nothing; could take back
 *     RETIRE, COMMITTED (new)          closes its copies, and leaves            stands alone
 *
 * Any number of things may go wrong instead. Then either nothing has happened to the old generation but a RESUME, or the successor
 * gets LIVE with `unsealed` because the old one has died, or the old one gets RESUME with `unsealed` because the new one has: that is
 * the same as recovery after a crash, and wal_repair is what this server does for it.
 */
#include "kv.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <procsup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_ALONG_MS = 2, LOOK_MS = 10 };

uint64_t generation, revision;

static ps_handoff *handoff;
static ps_command *successor;
static ps_error *error;
static int32_t role;
static int owner, leaving; /* owner: we were LIVE, and have not sealed since */
static int64_t leave_ns;
static struct event *watcher, *look, *along;

static void must(ps_status status, const char *what)
{
    if (status != PS_OK)
        fatal("%s: %s", what, ps_error_message(error));
}

static void after(struct event *timer, int64_t ms)
{
    struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    if (timer == NULL || event_add(timer, &wait) != 0)
        fatal("the event loop refuses a timer");
}

/* What the log holds that we do not know yet. Only a new owner whose predecessor did not seal repairs: who reads along while another
   writes may well see half a record. */
static int64_t read_log(int repair)
{
    int64_t records = wal_read(store_put);
    uint64_t torn = repair ? wal_repair() : 0;
    if (torn > 0)
        note("repaired torn=%llu", (unsigned long long)torn);
    return records;
}

/* ---- the old generation ---- */

int generations_pass(int fd, const void *read, size_t length)
{
    return ps_handoff_pass_connection(handoff, fd, read, length, NULL) == PS_OK;
}

void generations_keep(int fd)
{
    ps_handoff_keep_connection(handoff, fd, NULL);
}

/* There may be thousands of connections: they are sent now, while this generation serves, and at SEAL only what has changed. */
static void drain(const ps_handoff_event *event)
{
    note("drain handoff=%llu", (unsigned long long)event->handoff_id);
    http_pass(0);
    if (ps_handoff_drained(handoff, http_connections(), NULL) != PS_OK)
        note("drained too late"); /* the handoff was given up in the meantime; an event says so */
}

static void seal(void)
{
    http_commit();
    int64_t off_ns = now_ns();
    http_stop();
    http_pass(1);
    owner = 0;
    ps_status status = ps_handoff_sealed(handoff, wal.sequence, &error);
    note_at(off_ns, "sealed revision=%llu", (unsigned long long)wal.sequence);
    if (status != PS_OK) { /* too late: RESUME is on its way */
        note("sealed too late: %s", ps_error_message(error));
        ps_error_free(error);
    }
}

static void resume(const ps_handoff_event *event)
{
    if (event->unsealed) { /* the successor was the owner, and is no more: it may have written */
        int64_t records = read_log(1);
        must(ps_handoff_generation(handoff, &generation, &error), "generation");
        revision = wal.sequence;
        note("taken back records=%lld", (long long)records);
        http_close_passed();
    }
    owner = 1;
    http_say_close(leaving);
    note("resume sequence=%llu", (unsigned long long)wal.sequence);
    http_start(!leaving);
}

/* Leaves when the last connection has gone, or after the grace. */
static void look_around(evutil_socket_t fd, short what, void *unused)
{
    (void)fd, (void)what, (void)unused;
    unsigned connections = http_connections();
    if (connections == 0)
        event_base_loopbreak(base);
    else if (now_ns() < leave_ns)
        after(look, LOOK_MS);
    else {
        note("leaves connections=%u", connections);
        event_base_loopbreak(base);
    }
}

static void leave(void)
{
    http_say_close(1);
    if (!leaving)
        leave_ns = now_ns() + options.grace_ms * 1000000ll;
    leaving = 1;
    after(look, 0);
}

/* ---- the new generation ---- */

static void read_along(evutil_socket_t fd, short what, void *unused)
{
    (void)fd, (void)what, (void)unused;
    read_log(0);
}

static void live(const ps_handoff_event *event)
{
    /* A cold start cannot know how the last run ended. */
    int repair = event->unsealed || role == PS_HANDOFF_FIRST;
    event_del(along);
    int64_t records = read_log(repair);
    if (!repair && wal.sequence != event->revision) {
        ps_handoff_failed(handoff, "the log does not end where it was sealed", NULL);
        fatal("the log ends at %llu, it was sealed at %llu", (unsigned long long)wal.sequence, (unsigned long long)event->revision);
    }
    static char read[IN_MAX];
    int32_t fd = -1;
    size_t length = 0;
    unsigned taken = 0;
    owner = 1;
    revision = wal.sequence;
    must(ps_handoff_generation(handoff, &generation, &error), "generation");
    for (; ps_handoff_take_connection(handoff, &fd, read, sizeof read, &length, NULL) == PS_OK; taken++)
        http_take(fd, read, length);
    http_start(1);
    int64_t on_ns = now_ns();
    ps_status status = ps_handoff_live(handoff, &error);
    note_at(on_ns, "live revision=%llu unsealed=%d records=%lld connections=%u", (unsigned long long)revision, (int)event->unsealed,
            (long long)records, taken);
    must(status, "live"); /* refused: we were too slow, and the old generation is the owner again */
    if (role == PS_HANDOFF_FIRST)
        service_ready();
}

static void aborted(const ps_handoff_event *event)
{
    char reason[256] = ""; /* it is not terminated, and never that long */
    ps_handoff_reason(handoff, reason, sizeof reason - 1, NULL, NULL);
    note("aborted status=%s reason=%s", ps_status_name(event->reason), reason);
    if (event->phase == PS_HANDOFF_PHASE_GONE)
        exit(1); /* not needed, or no longer: the old generation goes on, whatever was begun here */
    service_not_reloaded(reason);
}

/* ---- both ---- */

static void take(const ps_handoff_event *event)
{
    switch (event->kind) {
    case PS_HANDOFF_DRAIN:
        drain(event);
        break;
    case PS_HANDOFF_SEAL:
        seal();
        break;
    case PS_HANDOFF_LIVE:
        live(event);
        break;
    case PS_HANDOFF_RESUME:
        resume(event);
        break;
    case PS_HANDOFF_COMMITTED:
        note(event->phase == PS_HANDOFF_PHASE_SETTLED ? "settled" : "standby");
        if (event->phase == PS_HANDOFF_PHASE_SETTLED)
            service_main_process(0, "READY=1\nSTATUS=serving");
        break;
    case PS_HANDOFF_RETIRE:
        note("retire connections=%u", http_connections());
        if (options.names_successor)
            service_main_process(event->peer_pid, "READY=1"); /* nobody hears that one before, so the end of the reload is ours to say */
        http_retire();
        leave();
        break;
    case PS_HANDOFF_ABORTED:
        aborted(event);
        break;
    case PS_HANDOFF_PATH_CHANGED: /* a cleaner, a link that was turned: for whoever reads the log */
        note("path status=%s", ps_status_name(event->reason));
        break;
    }
}

static void readable(evutil_socket_t fd, short what, void *unused)
{
    ps_handoff_event event = {.size = sizeof event};
    ps_status status;
    (void)fd, (void)what, (void)unused;
    while ((status = ps_handoff_next_event(handoff, 0, &event, &error)) == PS_OK)
        take(&event);
    if (status != PS_PENDING)
        must(status, "handoff");
}

int generations_upgrade(void)
{
    service_reloading();
    ps_status status = ps_handoff_upgrade(handoff, successor, options.deadline_ms, &error);
    if (status == PS_OK) {
        note("upgrade");
        return 0;
    }
    note("no upgrade: %s", ps_error_message(error));
    if (status != PS_ERR_IN_PROGRESS) /* then that one's end is the reload's */
        service_not_reloaded(ps_error_message(error));
    ps_error_free(error);
    return -1;
}

int generations_serve(void)
{
    int32_t phase = PS_HANDOFF_PHASE_GONE;
    ps_handoff_phase(handoff, &phase, NULL);
    return phase != PS_HANDOFF_PHASE_LOADING && phase != PS_HANDOFF_PHASE_WARM && phase != PS_HANDOFF_PHASE_GONE;
}

void generations_cancel(void)
{
    ps_handoff_cancel(handoff, NULL);
}

void generations_leave(void)
{
    note("stop");
    generations_cancel(); /* else a successor that is warm would see us end, and take over */
    if (owner) {
        service_stopping();
        http_commit();
        http_start(0);
    }
    leave();
}

/* The first generation binds; close-on-exec, because procsup passes on what shall be passed on, and non-blocking from the beginning. */
static int bind_listener(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (inet_pton(AF_INET, options.address, &name.sin_addr) != 1)
        fatal("%s is no IPv4 address", options.address);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 || bind(fd, (struct sockaddr *)&name, sizeof name) != 0 ||
        listen(fd, SOMAXCONN) != 0)
        fatal("%s:%d: %s", options.address, options.port, strerror(errno));
    must(ps_handoff_set_fd(handoff, "http", fd, &error), "listener");
    return fd;
}

void generations_begin(void)
{
    char path[4096];
    int32_t fd = -1, listener = -1;
    snprintf(path, sizeof path, "%s/kv.control", options.data);
    must(ps_handoff_new(path, &handoff, &error), path);
    must(ps_handoff_role(handoff, &role, &error), "role");
    must(ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_PROBATION, options.probation_ms, &error), "probation");
    must(ps_handoff_set_service_check(handoff, !options.any_service, &error), "check");
    service_begin();
    note("start role=%s", role == PS_HANDOFF_FIRST ? "first" : "successor");

    must(ps_command_new(options.program, &successor, &error), "successor");
    for (char **argument = options.arguments; *argument; argument++)
        must(ps_command_arg(successor, *argument, &error), "successor");

    ps_status found = ps_handoff_take_fd(handoff, "http", &listener, &error);
    if (found == PS_ERR_NOT_FOUND) {
        ps_error_free(error);
        if ((listener = service_listener()) >= 0)
            must(ps_handoff_set_fd(handoff, "http", listener, &error), "listener");
        else
            listener = bind_listener();
        service_store(listener);
    } else {
        must(found, "listener");
    }
    http_begin(listener);

    look = event_new(base, -1, 0, look_around, NULL);
    along = event_new(base, -1, EV_PERSIST, read_along, NULL);
    must(ps_handoff_fd(handoff, &fd, &error), "descriptor");
    watcher = event_new(base, fd, EV_READ | EV_PERSIST, readable, NULL);
    if (watcher == NULL || event_add(watcher, NULL) != 0)
        fatal("the event loop refuses the handoff");

    /* However long this takes, the old generation goes on serving. */
    int64_t began = now_ns(), records = read_log(0);
    note("loaded records=%lld ms=%lld", (long long)records, (long long)(now_ns() - began) / 1000000);
    if (role == PS_HANDOFF_SUCCESSOR) {
        must(ps_handoff_warm(handoff, &error), "warm");
        note("warm");
        after(along, READ_ALONG_MS);
    }
}

void generations_end(void)
{
    service_end();
    event_free(watcher);
    event_free(look);
    event_free(along);
    ps_handoff_free(handoff);
    ps_command_free(successor);
}
