/* A host of a native preloader by hand: it says what it likes, when it likes, and sees each message (c-tests/lib/native_wire.h).
 *
 *   host h = host_begin("how=sibling", NULL);        native_app, greeted
 *   host_ready(&h);                                  it has loaded
 *   newborn n = host_fork(&h, 7, -1);                FORK; the private pair
 *   host_greeted(&n);                                HELLO: it stands at its gate
 *   host_go(&n);                                     GO
 *   host_end(&h);                                    the channel is closed, and nobody is left
 */
#ifndef PROCSUP_TEST_NATIVE_HOST_H
#define PROCSUP_TEST_NATIVE_HOST_H

#include "smart.h"

#include "native_wire.h"

typedef struct host {
    place p; /* for its log */
    int channel;
    uint32_t said;
    pid_t pid;
} host;

typedef struct newborn {
    int end;
    uint64_t birth;
    uint32_t said;
    pid_t pid; /* as the kernel says, with its greeting */
} newborn;

enum { GENERATION = 3 };

static int host_stdout = -1;     /* the application's, if it is to have one of its own */
static bool host_may_die = true; /* the application dies with the test */

/* The next message there, in time. */
HARNESS wire_message host_hear(int channel)
{
    static wire_message m;
    struct pollfd one = {.fd = channel, .events = POLLIN};
    CHECK(poll(&one, 1, PATIENCE_MS) == 1);
    CHECK(wire_receive(channel, &m));
    return m;
}

HARNESS void host_end_of(int channel)
{
    wire_message m;
    struct pollfd one = {.fd = channel, .events = POLLIN};
    CHECK(poll(&one, 1, PATIENCE_MS) == 1);
    CHECK(!wire_receive(channel, &m));
}

HARNESS wire_message host_hear_kind(int channel, int kind)
{
    wire_message m = host_hear(channel);
    CHECK_INT(m.kind, kind);
    return m;
}

HARNESS void text_of(const wire_message *m, char *text, size_t cap)
{
    for (size_t at = 24; at + 4 <= m->length;) {
        size_t length = (size_t)wire_read(m->bytes + at + 2, 2);
        if (wire_read(m->bytes + at, 2) == T_TEXT) {
            CHECK(length < cap);
            memcpy(text, m->bytes + at + 4, length);
            text[length] = 0;
            return;
        }
        at += 4 + length;
    }
    CHECK(!"there is no text");
}

HARNESS wire_message host_message(host *h, int kind)
{
    return wire_begin((uint16_t)kind, GENERATION, ++h->said);
}

HARNESS void host_say(host *h, int kind, uint64_t birth)
{
    wire_message m = host_message(h, kind);
    if (birth)
        wire_value(&m, T_BIRTH, birth, 8);
    CHECK_INT(wire_send(h->channel, &m), 0);
}

/* A channel in which the greeting lies; the other end is given back. */
HARNESS int host_channel(int *theirs, uint64_t generation, uint32_t versions)
{
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    wire_message hello = wire_begin(W_HELLO, generation, 1);
    wire_value(&hello, T_VERSIONS, versions, 4);
    CHECK_INT(wire_send(pair[0], &hello), 0);
    *theirs = pair[1];
    return pair[0];
}

/* native_app with these words, at this end of a channel, or at number `number` whatever that is. */
HARNESS pid_t host_start(const host *h, int theirs, int number, const char *word, va_list rest)
{
    const char *arguments[16] = {helper_path("native_app"), h->p.log, word};
    for (int i = 3; word && i < 15 && (arguments[i] = va_arg(rest, const char *)); i++)
        ;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        char variable[16];
        if (host_may_die)
            prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (host_stdout >= 0)
            dup2(host_stdout, 1);
        if (theirs >= 0)
            fcntl(theirs, F_SETFD, 0);
        snprintf(variable, sizeof variable, "%d", number);
        setenv("PROCSUP_PRELOAD_FD", variable, 1);
        execv(arguments[0], (char *const *)arguments);
        _exit(127);
    }
    return pid;
}

HARNESS host host_begin(const char *word, ...)
{
    host h = {.said = 1};
    int theirs;
    snprintf(h.p.base, sizeof h.p.base, "%s", temp_dir());
    snprintf(h.p.log, sizeof h.p.log, "%s.log", h.p.base);
    h.channel = host_channel(&theirs, GENERATION, 0x00010001);
    va_list rest;
    va_start(rest, word);
    h.pid = host_start(&h, theirs, theirs, word, rest);
    va_end(rest);
    close(theirs);
    wire_message hello = host_hear_kind(h.channel, W_HELLO);
    CHECK_INT(hello.id, GENERATION);
    return h;
}

/* The flags of its READY. */
HARNESS uint64_t host_ready(host *h)
{
    wire_message m = host_hear_kind(h->channel, W_READY);
    return wire_find(&m, T_FLAGS, 0, 0);
}

HARNESS newborn host_fork(host *h, uint64_t birth, int64_t left)
{
    int pair[2], on = 1;
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    CHECK(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
    wire_message m = host_message(h, W_FORK);
    wire_value(&m, T_BIRTH, birth, 8);
    if (left >= 0)
        wire_value(&m, T_LEFT, (uint64_t)left, 8);
    wire_fd(&m, T_END, pair[1]);
    CHECK_INT(wire_send(h->channel, &m), 0);
    close(pair[1]);
    return (newborn){.end = pair[0], .birth = birth};
}

/* Its greeting, and whose that is. */
HARNESS void host_greeted(newborn *n)
{
    unsigned char bytes[256];
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec iov = {.iov_base = bytes, .iov_len = sizeof bytes};
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct pollfd one = {.fd = n->end, .events = POLLIN};
    CHECK(poll(&one, 1, PATIENCE_MS) == 1);
    CHECK(recvmsg(n->end, &header, MSG_CMSG_CLOEXEC) > 24);
    CHECK_INT(wire_read(bytes + 4, 2), W_HELLO);
    CHECK_INT(wire_read(bytes + 8, 8), n->birth);
    struct cmsghdr *c = CMSG_FIRSTHDR(&header);
    CHECK(c && c->cmsg_type == SCM_CREDENTIALS);
    n->pid = ((struct ucred *)(void *)CMSG_DATA(c))->pid;
}

HARNESS wire_message newborn_message(newborn *n, int kind)
{
    return wire_begin((uint16_t)kind, n->birth, ++n->said);
}

HARNESS void host_go(newborn *n)
{
    wire_message m = newborn_message(n, W_GO);
    CHECK_INT(wire_send(n->end, &m), 0);
}

/* BORN of this birth: its pid as the preloader says; its pidfd is closed. */
HARNESS pid_t host_born(host *h, uint64_t birth, bool sibling)
{
    wire_message m = host_hear_kind(h->channel, W_BORN);
    CHECK_INT(wire_find(&m, T_BIRTH, 0, 0), birth);
    CHECK_INT(!!(wire_find(&m, T_FLAGS, 0, 0) & 2), sibling);
    for (int i = 0; i < m.fd_count; i++)
        close(m.fds[i]);
    return (pid_t)wire_find(&m, T_PID, 0, 0);
}

/* How a child of ours ended: its exit code, or the signal plus 1000. */
HARNESS int host_reap(pid_t pid)
{
    int status = 0;
    CHECK(wait_until(waitpid(pid, &status, WNOHANG | __WALL) == pid, PATIENCE_MS));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Goes as a host goes, or is killed: the preloader leaves. */
HARNESS void host_end(host *h)
{
    close(h->channel);
    CHECK_INT(host_reap(h->pid), 0);
    CHECK(wait_until(child_count() == 0, PATIENCE_MS));
    unlink(h->p.log);
    rmdir(h->p.base);
}

#endif
