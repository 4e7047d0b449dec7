/*
 * What the tests of the handoff use: a stage on which generations of one server appear as processes (helpers/generation), each moved by
 * the test, one call at a time. So a test puts any two of them into any two phases, and ends, stops or starves one of them there.
 *
 *   stage_begin()  stage_end()           stage.path is the control path, stage.lock its lock file
 *   first(name)                          the first generation, serving
 *   upgrade(o, name, ms)                 its successor, spawned by it;  takeover(name): started by the test. Both are MET
 *   bring(o, n, from, to)                through the phases of a handoff, in the mode that stage.overlap says
 *   ask(p, "warm")                       a command, which must be answered with PS_OK; gives what follows. ask_for(p, status, "warm")
 *   path_changed(p, PS_OK)               PATH_CHANGED with this status
 *   expect(p, LIVE)                      the next event of this party, in time;  quiet(p): there is none
 *   called_off(o, at, reason)            what follows for the owner when it came to nothing before the commit
 *   crash(p) stop(p) go_on(p) leave(p)   kill -9, SIGSTOP, SIGCONT, exit in good order
 *   stands(p, PS_HANDOFF_PHASE_OWNER)    what ps_handoff_phase says
 *   served_by(p)                         a client connects to the server, and this one answers
 *   pass(o, fd, read)  claimed(n)        a connection is passed on, and claimed with what was read of it
 *   takes(p, name, fd)                   it is handed on what hand_on(o, name, fd) has set
 *   same(before, snapshot(p))            S7: nothing that a handoff must not change has changed
 *   replaced(o)                          in the end the owner is replaced all the same
 *
 * Whoever serves by its events is counted: in exclusive mode two at a time are a failure of any test (S1, S2).
 *
 * The test is a subreaper: a generation whose parent has gone is still its to see and to reap.
 */
#ifndef PROCSUP_TEST_HANDOFF_H
#define PROCSUP_TEST_HANDOFF_H

#include "children.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { DRAIN = PS_HANDOFF_DRAIN, SEAL, LIVE, RESUME, RETIRE, COMMITTED, ABORTED, PATH_CHANGED };
enum { MAX_PARTIES = 128, MAX_EVENTS = 64, LONGEST = 60000 };

/* Where a handoff stands. The owner is the one that has begun it, `n` its successor. */
enum phase {
    MET,     /* the successor runs, and has not called ps_handoff_new */
    LOADING, /* it has the offer */
    WARM,    /* it is warm; the owner was told DRAIN */
    SEALING, /* exclusive: the owner was told SEAL */
    GIVEN,   /* the owner has committed; the successor was told LIVE */
    SERVING, /* the successor has answered; the owner stands by (overlap: it was told SEAL and has answered) */
    SETTLED, /* the owner was told RETIRE, the successor COMMITTED */
};

typedef struct party {
    const char *name;
    int fd;
    pid_t pid;
    bool serves, gone;
    int count;
    ps_handoff_event events[MAX_EVENTS];
    char reply[LONGEST];
    int reply_fd; /* came with the last reply; the caller's */
} party;

static struct {
    char dir[64], path[96], lock[104], meeting[96];
    int meet, port;
    bool overlap;  /* two may serve */
    int probation; /* milliseconds; 0: as long as the library says */
    party parties[MAX_PARTIES];
    int count;
} stage;

HARNESS const char *kind_name(int kind)
{
    static const char *const names[] = {"none", "DRAIN", "SEAL", "LIVE", "RESUME", "RETIRE", "COMMITTED", "ABORTED", "PATH_CHANGED"};
    return kind >= 0 && kind < 9 ? names[kind] : "?";
}

HARNESS void stage_begin(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    signal(SIGPIPE, SIG_IGN);
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
    strcpy(stage.dir, temp_dir());
    snprintf(stage.path, sizeof stage.path, "%s/control", stage.dir);
    snprintf(stage.lock, sizeof stage.lock, "%s.lock", stage.path);
    snprintf(stage.meeting, sizeof stage.meeting, "%s/meeting", stage.dir);
    snprintf(name.sun_path, sizeof name.sun_path, "%s", stage.meeting);
    stage.meet = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    CHECK(stage.meet >= 0 && bind(stage.meet, (struct sockaddr *)&name, sizeof name) == 0 && listen(stage.meet, 64) == 0);
}

/* ---- talking to a party -------------------------------------------------------------------------------------------------- */

HARNESS void serving(party *p, bool now)
{
    p->serves = now;
    for (int i = 0; now && !stage.overlap && i < stage.count; i++)
        if (&stage.parties[i] != p && stage.parties[i].serves && !stage.parties[i].gone)
            harness_fail(__FILE__, __LINE__, "S1: %s serves, and so does %s", p->name, stage.parties[i].name);
}

HARNESS bool is_readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int ready;
    do ready = poll(&p, 1, ms); while (ready < 0 && errno == EINTR);
    return ready == 1;
}

/* Takes one message: 1 a reply, 2 an event, 0 nothing in time, -1 the end. */
HARNESS int listen_to(party *p, int ms)
{
    char control[CMSG_SPACE(sizeof(int))];
    static char text[LONGEST];
    if (!is_readable(p->fd, ms))
        return 0;
    struct iovec bytes = {.iov_base = text, .iov_len = sizeof text - 1};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t length = recvmsg(p->fd, &message, MSG_CMSG_CLOEXEC);
    if (length <= 0)
        return -1;
    text[length] = 0;
    if (strncmp(text, "event ", 6) != 0) {
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        p->reply_fd = -1;
        if (rights && rights->cmsg_type == SCM_RIGHTS)
            memcpy(&p->reply_fd, CMSG_DATA(rights), sizeof p->reply_fd);
        memcpy(p->reply, text, (size_t)length + 1);
        return 1;
    }
    ps_handoff_event event = {.size = sizeof event};
    int got = sscanf(text, "event %d %" SCNu64 " %" SCNu64 " %d %d %d %" SCNd64 " %" SCNd64 " %d", &event.kind, &event.handoff_id,
                     &event.revision, &event.unsealed, &event.peer_pid, &event.reason, &event.deadline_ns, &event.time_ns, &event.phase);
    if (got != 9)
        harness_fail(__FILE__, __LINE__, "%s: %s", p->name, text);
    CHECK(p->count < MAX_EVENTS);
    p->events[p->count++] = event;
    return 2;
}

/* Says it, and waits for nothing. */
HARNESS __attribute__((format(printf, 3, 4))) void say_with(party *p, int fd, const char *format, ...)
{
    char line[2048], control[CMSG_SPACE(sizeof(int))] = {0}; /* its padding too */
    va_list list;
    va_start(list, format);
    int length = vsnprintf(line, sizeof line, format, list);
    va_end(list);
    CHECK(length > 0 && length < (int)sizeof line);
    struct iovec bytes = {.iov_base = line, .iov_len = (size_t)length};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        *rights = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
        memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    }
    if (strncmp(line, "sealed", 6) == 0) /* before the call, which may be the commit */
        serving(p, false);
    if (sendmsg(p->fd, &message, MSG_NOSIGNAL) != length)
        harness_fail(__FILE__, __LINE__, "%s is gone: %s", p->name, strerror(errno));
}
#define say(p, ...) say_with((p), -1, __VA_ARGS__)

/* The answer to what was said. */
HARNESS const char *answer_at(const char *file, int line, party *p)
{
    int64_t until = now_ms() + PATIENCE_MS;
    for (;;) {
        int got = listen_to(p, (int)(until > now_ms() ? until - now_ms() : 0));
        if (got == 1)
            return p->reply;
        if (got <= 0)
            harness_fail(file, line, "%s %s", p->name, got == 0 ? "does not answer" : "has ended");
    }
}

/* The answer must be this status; gives what follows it. */
HARNESS const char *answered_at(const char *file, int line, party *p, const char *what, const char *status)
{
    const char *reply = answer_at(file, line, p);
    size_t length = strlen(status);
    if (strncmp(reply, status, length) != 0 || (reply[length] && reply[length] != ' ' && reply[length] != '\n'))
        harness_fail(file, line, "%s, asked for %s, says %.500s; expected %s", p->name, what, reply, status);
    return reply[length] ? reply + length + 1 : "";
}

#define ask_for(p, status, ...) (say_with((p), -1, __VA_ARGS__), answered_at(__FILE__, __LINE__, (p), #__VA_ARGS__, #status))
#define answered(p, what, status) answered_at(__FILE__, __LINE__, (p), (what), (status))
#define answer_of(p) answer_at(__FILE__, __LINE__, (p))
#define ask(p, ...) ask_for(p, PS_OK, __VA_ARGS__)
#define ask_number(p, ...) atoll(ask(p, __VA_ARGS__))

/* ---- events -------------------------------------------------------------------------------------------------------------- */

HARNESS ps_handoff_event expect_at(const char *file, int line, party *p, int kind, int ms)
{
    int64_t until = now_ms() + ms;
    while (p->count == 0) {
        int got = listen_to(p, (int)(until > now_ms() ? until - now_ms() : 0));
        if (got == 0)
            harness_fail(file, line, "%s is not told %s", p->name, kind_name(kind));
        if (got < 0)
            harness_fail(file, line, "%s has ended, expected %s", p->name, kind_name(kind));
    }
    ps_handoff_event event = p->events[0];
    memmove(p->events, p->events + 1, (size_t)--p->count * sizeof *p->events);
    if (event.kind != kind)
        harness_fail(file, line, "%s is told %s (%s), expected %s", p->name, kind_name(event.kind), ps_status_name(event.reason),
                     kind_name(kind));
    if (kind == LIVE || kind == RESUME)
        serving(p, true);
    if (kind == RETIRE)
        serving(p, false);
    CHECK(event.time_ns > 0 && event.time_ns <= now_ns());
    bool awaited = (kind == DRAIN || kind == SEAL || kind == LIVE) && event.deadline_ns != 0;
    CHECK(!awaited || event.deadline_ns >= event.time_ns);
    static const int puts[][2] = {[DRAIN] = {PS_HANDOFF_PHASE_DRAINING},
                                  [SEAL] = {PS_HANDOFF_PHASE_SEALING, PS_HANDOFF_PHASE_STANDBY},
                                  [LIVE] = {PS_HANDOFF_PHASE_OPENING},
                                  [RESUME] = {PS_HANDOFF_PHASE_OWNER},
                                  [RETIRE] = {PS_HANDOFF_PHASE_GONE},
                                  [COMMITTED] = {PS_HANDOFF_PHASE_STANDBY, PS_HANDOFF_PHASE_SETTLED},
                                  [ABORTED] = {PS_HANDOFF_PHASE_OWNER, PS_HANDOFF_PHASE_GONE},
                                  [PATH_CHANGED] = {PS_HANDOFF_PHASE_OWNER, PS_HANDOFF_PHASE_SETTLED}};
    if (event.phase != puts[kind][0] && event.phase != puts[kind][1])
        harness_fail(file, line, "%s: %s puts it into phase %d", p->name, kind_name(kind), event.phase);
    return event;
}
#define expect(p, kind) expect_at(__FILE__, __LINE__, (p), (kind), PATIENCE_MS)
#define expect_within(p, kind, ms) expect_at(__FILE__, __LINE__, (p), (kind), (ms) * slowness())

/* What it says of itself. */
HARNESS void stands_at(const char *file, int line, party *p, const char *wanted, int phase)
{
    say(p, "phase");
    int now = atoi(answered_at(file, line, p, "phase", "PS_OK"));
    if (now != phase)
        harness_fail(file, line, "%s stands in phase %d, expected %s (%d)", p->name, now, wanted, phase);
}
#define stands(p, phase) stands_at(__FILE__, __LINE__, (p), #phase, (phase))

/* ABORTED for this reason. */
HARNESS ps_handoff_event aborted_at(const char *file, int line, party *p, ps_status reason)
{
    ps_handoff_event event = expect_at(file, line, p, ABORTED, PATIENCE_MS);
    if (event.reason != reason)
        harness_fail(file, line, "%s: aborted with %s (%s), expected %s", p->name, ps_status_name(event.reason), ask(p, "reason"),
                     ps_status_name(reason));
    CHECK(strlen(ask(p, "reason")) > 0);
    return event;
}
#define aborted(p, reason) aborted_at(__FILE__, __LINE__, (p), (reason))

/* PATH_CHANGED, with this status. */
HARNESS ps_handoff_event path_changed_at(const char *file, int line, party *p, ps_status status)
{
    ps_handoff_event event = expect_at(file, line, p, PATH_CHANGED, PATIENCE_MS);
    if (event.reason != status)
        harness_fail(file, line, "%s: its path has changed, %s (%s), expected %s", p->name, ps_status_name(event.reason),
                     ask(p, "reason"), ps_status_name(status));
    CHECK(event.deadline_ns == 0 && event.handoff_id == 0 && strstr(ask(p, "reason"), stage.path));
    return event;
}
#define path_changed(p, status) path_changed_at(__FILE__, __LINE__, (p), (status))

/* What the owner is told of an attempt that ended in this phase, before the commit: RESUME if it was told to drain, and ABORTED. */
HARNESS void called_off_at(const char *file, int line, party *o, enum phase at, ps_status reason)
{
    if (at >= WARM && expect_at(file, line, o, RESUME, PATIENCE_MS).unsealed)
        harness_fail(file, line, "%s is told RESUME as after a commit", o->name);
    aborted_at(file, line, o, reason);
}
#define called_off(o, at, reason) called_off_at(__FILE__, __LINE__, (o), (at), (reason))

HARNESS void quiet_at(const char *file, int line, party *p)
{
    ask(p, "sync");
    if (p->count)
        harness_fail(file, line, "%s is told %s (%s), expected nothing", p->name, kind_name(p->events[0].kind),
                     ps_status_name(p->events[0].reason));
}
#define quiet(p) quiet_at(__FILE__, __LINE__, (p))

/* ---- parties appear and go ----------------------------------------------------------------------------------------------- */

/* The process that comes to the meeting next. */
HARNESS party *meet(const char *name)
{
    CHECK(stage.count < MAX_PARTIES);
    party *p = &stage.parties[stage.count++];
    memset(p, 0, sizeof *p);
    p->name = name;
    if (!is_readable(stage.meet, PATIENCE_MS))
        harness_fail(__FILE__, __LINE__, "%s does not come", name);
    p->fd = accept4(stage.meet, NULL, NULL, SOCK_CLOEXEC);
    CHECK(p->fd >= 0);
    p->pid = atoi(answer_of(p));
    CHECK(p->pid > 0);
    return p;
}

/* Started by the test: by anyone. */
HARNESS party *start(const char *name)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        execl(helper_path("generation"), "generation", stage.meeting, (char *)NULL);
        _exit(127);
    }
    party *p = meet(name);
    CHECK_INT(p->pid, pid);
    return p;
}

/* The same in a world where the kernel refuses something: a rule of helpers/without. NULL: no filter can be installed here. */
HARNESS party *come_without(const char *rule, const char *name)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        execl(helper_path("without"), "without", rule, "--", helper_path("generation"), stage.meeting, (char *)NULL);
        _exit(127);
    }
    int status;
    while (!is_readable(stage.meet, 10))
        if (waitpid(pid, &status, WNOHANG) == pid) {
            CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 77);
            return NULL;
        }
    return meet(name);
}

/* ps_handoff_new, whatever its role. */
HARNESS void enter(party *p, int role)
{
    int got = -1, port = 0;
    CHECK_INT(sscanf(ask(p, "new %s", stage.path), "%d %d", &got, &port), 2);
    CHECK_INT(got, role);
    CHECK(stage.port == 0 || role == PS_HANDOFF_FIRST || port == stage.port);
    stage.port = port;
    if (stage.overlap)
        ask(p, "mode %d", PS_HANDOFF_OVERLAP);
    if (stage.probation)
        ask(p, "timeout %d %d", PS_HANDOFF_TIMEOUT_PROBATION, stage.probation * slowness());
}

/* What ps_handoff_new comes to where anything may come of it: whether it has an offer. "" in reply: it was ended before it could say. */
HARNESS bool is_offered(party *p)
{
    int64_t until = now_ms() + PATIENCE_MS;
    int got;
    say(p, "new %s", stage.path);
    p->reply[0] = 0;
    do got = listen_to(p, 100); while (got != 1 && got != -1 && now_ms() < until);
    CHECK(got != 0);
    return got == 1 && strncmp(p->reply, "PS_OK", 5) == 0;
}

HARNESS party *serves_first(party *p)
{
    enter(p, PS_HANDOFF_FIRST);
    ps_handoff_event live = expect(p, LIVE);
    CHECK(live.revision == 0 && live.unsealed == 0);
    ask(p, "live");
    return p;
}

HARNESS party *first(const char *name) { return serves_first(start(name)); }

/* One that has no inotify(7), and so sees what becomes of its files only when it looks at them: at each step. NULL: see come_without. */
HARNESS party *first_without_a_watch(const char *name)
{
    party *p = come_without("inotify_init1=EMFILE", name);
    return p ? serves_first(p) : NULL;
}

/* Its successor, spawned by it with the helper's own environment; has not called ps_handoff_new yet. */
HARNESS party *upgrade(party *o, const char *name, int deadline_ms)
{
    say(o, "upgrade %d %s %s", deadline_ms * slowness(), helper_path("generation"), stage.meeting);
    party *n = meet(name);
    answered(o, "upgrade", "PS_OK");
    return n;
}

HARNESS party *takeover(const char *name) { return start(name); }

/* By either way in. */
HARNESS party *successor(party *o, bool spawned, int deadline_ms)
{
    if (spawned)
        return upgrade(o, "spawned", deadline_ms);
    ask(o, "timeout %d %d", PS_HANDOFF_TIMEOUT_TAKEOVER, deadline_ms * slowness());
    return takeover("takeover");
}

/* Ended for good: not even a zombie, if its parent looks after it; our own children are reaped here. */
HARNESS void gone_at(const char *file, int line, party *p)
{
    if (!wait_until((waitpid(p->pid, NULL, WNOHANG), process_gone(p->pid)), 20000))
        harness_fail(file, line, "%s (%d) is still there: %c", p->name, (int)p->pid, process_state(p->pid));
    p->gone = true;
    p->serves = false;
}
#define gone(p) gone_at(__FILE__, __LINE__, (p))

/* Its place is free again: the one that came last, which is gone. */
HARNESS void forget(party *p)
{
    CHECK(p == &stage.parties[stage.count - 1] && p->gone);
    close(p->fd);
    stage.count--;
}

HARNESS bool runs(const party *p) { return !is_dead(p->pid); }

HARNESS void crash(party *p)
{
    p->gone = true;
    kill(p->pid, SIGKILL);
    CHECK(wait_until(is_dead(p->pid), 20000));
}

HARNESS void stop(party *p)
{
    kill(p->pid, SIGSTOP);
    CHECK(wait_until(process_state(p->pid) == 'T', 20000));
}

HARNESS void go_on(party *p) { kill(p->pid, SIGCONT); }

/* Exits without freeing anything, as after RETIRE. */
HARNESS void leave(party *p)
{
    say(p, "exit 0");
    CHECK(wait_until(is_dead(p->pid), 20000));
    gone(p);
}

/* Frees its handle and exits. */
HARNESS void leave_in_order(party *p)
{
    ask(p, "free");
    leave(p);
}

/* ---- the phases ---------------------------------------------------------------------------------------------------------- */

/* From one phase to a later one; who is asked for what is checked on the way. The revision sealed is 7. */
HARNESS void bring(party *o, party *n, enum phase from, enum phase to)
{
    for (enum phase at = from; at < to; at++)
        switch (at) {
        case MET:
            enter(n, PS_HANDOFF_SUCCESSOR);
            break;
        case LOADING:
            ask(n, "warm");
            expect(o, DRAIN);
            break;
        case WARM:
            ask(o, "drained");
            if (!stage.overlap)
                expect(o, SEAL);
            break;
        case SEALING: {
            if (!stage.overlap)
                ask(o, "sealed 7");
            ps_handoff_event live = expect(n, LIVE);
            CHECK_INT(live.unsealed, 0);
            CHECK_INT(live.revision, stage.overlap ? 0 : 7);
            break;
        }
        case GIVEN:
            ask(n, "live");
            if (stage.overlap) {
                expect(o, SEAL);
                ask(o, "sealed 7");
            }
            expect(o, COMMITTED);
            break;
        default:
            expect(n, COMMITTED);
            expect(o, RETIRE);
            break;
        }
}

/* One whole handoff; the old generation leaves. */
HARNESS void hand_over(party *o, party *n)
{
    bring(o, n, MET, SETTLED);
    leave(o);
}

/* ---- looking at it from outside -------------------------------------------------------------------------------------------- */

/* A client of the server, connected. */
HARNESS int client(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)stage.port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    if (connect(fd, (struct sockaddr *)&name, sizeof name) != 0)
        harness_fail(__FILE__, __LINE__, "connect: %s", strerror(errno));
    return fd;
}

/* Which process answers it. */
HARNESS pid_t answer_to(int fd)
{
    char line[32];
    CHECK(read_line(fd, line, sizeof line));
    close(fd);
    return atoi(line);
}

#define served_by(p) CHECK_INT(answer_to(client()), (p)->pid)

/* A connection at the control path, as a successor makes it; -1 if nobody listens. */
HARNESS int guest(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof name.sun_path, "%s", stage.path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    if (connect(fd, (struct sockaddr *)&name, sizeof name) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Whether the lock file that has the name now is held by somebody. */
HARNESS bool lock_is_held(void)
{
    int fd = open(stage.lock, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool was_free = flock(fd, LOCK_EX | LOCK_NB) == 0;
    close(fd);
    return !was_free;
}

/* Control path and lock file are some owner's: found by whoever starts. */
HARNESS void path_is_kept_at(const char *file, int line)
{
    struct stat st;
    int fd = guest();
    if (fd < 0 || !lock_is_held())
        harness_fail(file, line, "%s", fd < 0 ? "nobody listens at the path" : "nobody holds the lock");
    close(fd);
    CHECK(lstat(stage.path, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 07777) == 0600);
    CHECK(lstat(stage.lock, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07777) == 01600 && st.st_size > 0);
}
#define path_is_kept() path_is_kept_at(__FILE__, __LINE__)

/* What a party is: descriptors, environment, signals, children, options of its listener. free() it. */
HARNESS char *snapshot(party *p) { return strdup(ask(p, "snapshot")); }

/* Whether two numbers of this process are one open file description: a status flag that one sets is the other's. */
HARNESS bool same_description(int a, int b)
{
    int before = fcntl(a, F_GETFL);
    CHECK(before >= 0 && fcntl(a, F_SETFL, before ^ O_NONBLOCK) == 0);
    bool same = fcntl(b, F_GETFL) == (before ^ O_NONBLOCK);
    CHECK(fcntl(a, F_SETFL, before) == 0);
    return same && fcntl(b, F_GETFL) == before;
}

/* Hands a descriptor of ours to a party, which hands it on. */
HARNESS void hand_on(party *p, const char *name, int fd)
{
    say_with(p, fd, "set %s", name);
    answered(p, "set", "PS_OK");
}

/* Gives a party a connection, which passes it on, with what it has read of it; its number there. */
HARNESS int pass(party *p, int fd, const char *read)
{
    say_with(p, fd, "pass %s", read);
    return atoi(answered(p, "pass", "PS_OK"));
}

/* Lets a party claim the next connection: what was read of it. The connection itself, the caller's: p->reply_fd. */
HARNESS const char *claimed(party *p)
{
    int number = -1, flags = 0, read = 0;
    const char *reply = ask(p, "claim 1000");
    CHECK_INT(sscanf(reply, "%d %d %n", &number, &flags, &read), 2);
    CHECK(number > 2 && flags == FD_CLOEXEC && p->reply_fd >= 0);
    return reply + read;
}

/* Whether the other end is closed, by everybody. */
HARNESS bool is_ended(int fd, int ms)
{
    char byte;
    return is_readable(fd, ms) && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

/* Lets a party take what was handed on, and gives a duplicate of it; the caller's. */
HARNESS int taken(party *p, const char *name)
{
    int number = -1, flags = 0;
    CHECK_INT(sscanf(ask(p, "take %s", name), "%d %d", &number, &flags), 2);
    CHECK(number > 2 && flags == FD_CLOEXEC && p->reply_fd >= 0);
    return p->reply_fd;
}

/* Lets a party take what was handed on: it must be what this number of ours is. */
HARNESS void takes_at(const char *file, int line, party *p, const char *name, int ours)
{
    int fd = taken(p, name);
    if (!same_description(fd, ours))
        harness_fail(file, line, "%s got another descriptor as %s", p->name, name);
    close(fd);
}
#define takes(p, name, ours) takes_at(__FILE__, __LINE__, (p), (name), (ours))

/* Fails with the lines that differ. Frees both. */
HARNESS void same_at(const char *file, int line, char *before, char *after)
{
    if (strcmp(before, after) != 0) {
        for (char *part = strtok(strdup(after), "\n"); part; part = strtok(NULL, "\n"))
            if (!strstr(before, part))
                fprintf(stderr, "  now:    %s\n", part);
        for (char *part = strtok(strdup(before), "\n"); part; part = strtok(NULL, "\n"))
            if (!strstr(after, part))
                fprintf(stderr, "  before: %s\n", part);
        harness_fail(file, line, "S7: something has changed");
    }
    free(before);
    free(after);
}
#define same(before, after) same_at(__FILE__, __LINE__, (before), (after))

/* After an abort: as it was before, serving, its path answers, and the next handoff can begin (S7, L3). Frees `before`. */
HARNESS void as_before_at(const char *file, int line, party *o, char *before)
{
    quiet_at(file, line, o);
    /* A child that the host itself has reaped is gone before the library has looked. */
    char *now = snapshot(o);
    (void)wait_until(strcmp(now, before) == 0 || (free(now), now = snapshot(o), false), 2000);
    same_at(file, line, before, now);
    served_by(o);
    int fd = guest();
    CHECK(fd >= 0);
    close(fd);
    quiet_at(file, line, o);
}
#define as_before(o, before) as_before_at(__FILE__, __LINE__, (o), (before))

/* It can be replaced after all, by a successor that serves; gives that one. */
HARNESS party *replaced(party *o)
{
    stage.probation = 20;
    ask(o, "timeout %d 20", PS_HANDOFF_TIMEOUT_PROBATION);
    party *n = upgrade(o, "last", 20000);
    hand_over(o, n);
    served_by(n);
    return n;
}

/* Ends whoever is left, and takes the stage away. No zombie, no child may be left that nobody knows. */
HARNESS void stage_end(void)
{
    for (int i = 0; i < stage.count; i++) {
        party *p = &stage.parties[i];
        close(p->fd);
        if (!is_dead(p->pid)) {
            kill(p->pid, SIGKILL);
            kill(p->pid, SIGCONT);
        }
    }
    for (int i = 0; i < stage.count; i++)
        CHECK(wait_until((waitpid(stage.parties[i].pid, NULL, WNOHANG), process_gone(stage.parties[i].pid)), 20000));
    close(stage.meet);
    unlink(stage.meeting);
    unlink(stage.path);
    unlink(stage.lock);
    if (rmdir(stage.dir) != 0)
        harness_fail(__FILE__, __LINE__, "something is left in %s: %s", stage.dir, strerror(errno));
    CHECK(has_no_child());
}

#endif
