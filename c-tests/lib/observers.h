/* An observer of a generation, by hand (docs/reference/handoff-protocol.md): it greets at the control path with its role, and gets what there is.
 *
 *   struct observer w = observe();      connected, and has said that it is an observer
 *   hears(&w, KIND)                     the next message, which must be this; what it carries is in w
 *   knows(&w)                           the whole estate has come, and each part is acknowledged
 *   says(&w, KIND, body, length, fd)    anything
 *   expects(&w, pid, pidfd, whole, drain)   announces(&w, whole, drain)   calls_off(&w, pid)
 *   silent(&w, ms)                      nothing comes;  ended(&w)  the channel has ended
 *
 * Needs stage_begin() of handoff.h. */
#ifndef PROCSUP_TEST_OBSERVERS_H
#define PROCSUP_TEST_OBSERVERS_H

#include "outcomes.h"

#include <endian.h>
#include <sys/syscall.h>

enum { O_HELLO = 1, O_ACK = 3, O_ABORT = 10, O_NAK = 11, O_ESTATE, O_PROGRESS, O_OUTCOME, O_EXPECT, O_CALL_OFF };
enum { NAK_BUSY = 1, NAK_UNKNOWN = 3, NAK_DENIED = 4, NAK_LIMIT = 5, NAK_LATE = 7 };
enum { MOST_NAMES = 700 };

struct observer {
    int fd;
    uint32_t seq;
    /* of the last message: */
    int type, flags, part, parts, phase, pid, refusal, records;
    uint64_t handoff, generation, capabilities;
    int64_t time;
    char build[72], text[1100];
    /* of the estate: */
    int count, page, process;
    char names[MOST_NAMES][64];
    int fds[MOST_NAMES];
};

HARNESS void says(struct observer *w, uint16_t type, const void *body, size_t length, int fd)
{
    unsigned char bytes[2048] = "PSHO";
    char control[CMSG_SPACE(sizeof fd)] = {0};
    uint32_t seq = htole32(++w->seq), size = htole32((uint32_t)length);
    CHECK(length <= sizeof bytes - 24);
    memcpy(bytes + 4, &(uint16_t){htole16(type)}, 2);
    memcpy(bytes + 16, &seq, 4);
    memcpy(bytes + 20, &size, 4);
    memcpy(bytes + 24, body, length);
    struct iovec one = {.iov_base = bytes, .iov_len = 24 + length};
    struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        *rights = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
        memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    }
    /* It may be sent away in this moment; a full line is for who floods. */
    if (sendmsg(w->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        CHECK(errno == EPIPE || errno == ECONNRESET || errno == EAGAIN);
}

/* HELLO, of this role; 0: of none, as a successor's. */
HARNESS struct observer connected(int role)
{
    static const unsigned char hello[] = {1, 0, 4, 0, 1, 0, 1, 0, 14, 0, 1, 0};
    unsigned char body[sizeof hello + 1];
    struct observer w = {.fd = guest(), .page = -1, .process = -1};
    CHECK(w.fd >= 0);
    memcpy(body, hello, sizeof hello);
    body[sizeof hello] = (unsigned char)role;
    says(&w, O_HELLO, body, role ? sizeof body : 8, -1);
    return w;
}

HARNESS struct observer observe(void) { return connected(1); }

HARNESS void observer_end(struct observer *w)
{
    for (int i = 0; i < w->count; i++)
        close(w->fds[i]);
    close(w->page);
    close(w->process);
    close(w->fd);
    w->fd = w->page = w->process = -1;
    w->count = 0;
}

HARNESS uint64_t number_at(const unsigned char *at, size_t length)
{
    uint64_t value = 0;
    for (size_t i = 0; i < length && i < 8; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

/* Takes the next message, waiting so long; its type, 0 for the end, -1 for nothing. */
HARNESS int listens(struct observer *w, int ms)
{
    static unsigned char bytes[98304];
    char control[CMSG_SPACE(sizeof(int[253]))];
    int fds[253], count = 0, used = 0;
    if (!is_readable(w->fd, ms))
        return -1;
    struct iovec one = {.iov_base = bytes, .iov_len = sizeof bytes};
    struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t length = recvmsg(w->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (length <= 0)
        return 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
        if (c->cmsg_type == SCM_RIGHTS) {
            count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(fds, CMSG_DATA(c), (size_t)count * sizeof(int));
        }
    CHECK(length >= 24 && memcmp(bytes, "PSHO", 4) == 0 && number_at(bytes + 20, 4) == (uint64_t)length - 24);
    w->type = (int)number_at(bytes + 4, 2), w->flags = (int)number_at(bytes + 6, 2);
    w->part = w->parts = w->phase = w->pid = w->refusal = -1;
    w->records = 0;
    w->handoff = w->generation = w->capabilities = 0;
    w->time = 0;
    w->build[0] = w->text[0] = 0;
    for (ssize_t at = 24, next; at < length; at = next) {
        int tag = (int)number_at(bytes + at, 2) & 0x7fff;
        size_t size = number_at(bytes + at + 2, 2);
        const unsigned char *value = bytes + at + 4;
        next = at + 4 + (ssize_t)size;
        CHECK(next <= length);
        switch (tag) {
        case 3: w->part = (int)number_at(value, 2), w->parts = (int)number_at(value + 2, 2); break;
        case 7: /* NAME */
            CHECK(used < count && w->count < MOST_NAMES && size < sizeof w->names[0]);
            memcpy(w->names[w->count], value, size);
            w->names[w->count][size] = 0;
            w->fds[w->count++] = fds[used++];
            break;
        case 8: /* OWN */
            CHECK(used < count && (value[0] == 1 || value[0] == 5)); /* neither the lock, nor the path's socket, nor the state */
            close(value[0] == 1 ? w->page : w->process);
            *(value[0] == 1 ? &w->page : &w->process) = fds[used++];
            break;
        case 11: w->refusal = value[0]; break;
        case 12: snprintf(w->text, sizeof w->text, "%.*s", (int)size, (const char *)value); break;
        case 13: w->capabilities = number_at(value, 8); break;
        case 15: snprintf(w->build, sizeof w->build, "%.*s", (int)size, (const char *)value); break;
        case 16: w->generation = number_at(value, 8); break;
        case 17: w->handoff = number_at(value, 8); break;
        case 18: w->phase = value[0]; break;
        case 19: w->pid = (int)number_at(value, 4); break;
        case 20: w->time = (int64_t)number_at(value, 8); break;
        case 22: w->records++; break;
        default: break;
        }
    }
    CHECK_INT(used, count);
    return w->type;
}

HARNESS void hears_at(const char *file, int line, struct observer *w, int type)
{
    int got = listens(w, PATIENCE_MS);
    if (got != type)
        harness_fail(file, line, "the observer hears %d (refusal %d, phase %d, %s), expected %d", got, w->refusal, w->phase, w->text, type);
}
#define hears(w, type) hears_at(__FILE__, __LINE__, (w), (type))

HARNESS void refused_at(const char *file, int line, struct observer *w, int refusal)
{
    hears_at(file, line, w, O_NAK);
    if (w->refusal != refusal || !w->text[0])
        harness_fail(file, line, "refused with %d (%s), expected %d", w->refusal, w->text, refusal);
}
#define refused(w, why) refused_at(__FILE__, __LINE__, (w), (why))

HARNESS void acknowledges(struct observer *w, int part)
{
    unsigned char body[10] = {3, 0, 6, 0, (unsigned char)part, (unsigned char)(part >> 8), 0, 0, 0, 0};
    body[6] = (unsigned char)(part + 1), body[7] = (unsigned char)((part + 1) >> 8);
    says(w, O_ACK, body, sizeof body, -1);
}

/* All parts of what there is, once. */
HARNESS void knows_at(const char *file, int line, struct observer *w)
{
    for (int i = 0; i < w->count; i++)
        close(w->fds[i]);
    w->count = 0;
    for (int part = 0, parts = 1; part < parts; part++) {
        hears_at(file, line, w, O_ESTATE);
        if (w->part != part || w->parts < 1)
            harness_fail(file, line, "part %d of %d, expected %d", w->part, w->parts, part);
        parts = w->parts;
        acknowledges(w, part);
    }
}
#define knows(w) knows_at(__FILE__, __LINE__, (w))

HARNESS int named(const struct observer *w, const char *name)
{
    for (int i = 0; i < w->count; i++)
        if (strcmp(w->names[i], name) == 0)
            return w->fds[i];
    return -1;
}

HARNESS void progresses_at(const char *file, int line, struct observer *w, int phase, int pid)
{
    int64_t before = w->time;
    hears_at(file, line, w, O_PROGRESS);
    if (w->phase != phase || w->pid != pid || w->flags != 1 || w->time < before || w->handoff == 0)
        harness_fail(file, line, "progress to phase %d with %d, expected %d with %d", w->phase, w->pid, phase, pid);
}
#define progresses(w, phase, pid) progresses_at(__FILE__, __LINE__, (w), (phase), (pid))

/* The owner has read what was said before, and nothing has come of it. */
HARNESS void silent_at(const char *file, int line, struct observer *w, party *o)
{
    ask(o, "sync");
    int got = listens(w, 0);
    if (got != -1)
        harness_fail(file, line, "the observer hears %d, expected nothing", got);
}
#define silent(w, o) silent_at(__FILE__, __LINE__, (w), (o))

HARNESS bool is_sent_away(struct observer *w, int ms)
{
    int64_t until = now_ms() + ms;
    for (int got; (got = listens(w, (int)(until > now_ms() ? until - now_ms() : 0))) != 0;)
        if (got < 0)
            return false;
    return true;
}

HARNESS int pidfd_of(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) {
        printf("no pidfd_open here: skipped\n");
        exit(77);
    }
    return fd;
}

HARNESS void expects(struct observer *w, pid_t pid, int pidfd, int64_t whole, int64_t drain)
{
    unsigned char body[37] = {19, 0, 4, 0, 0, 0, 0, 0, 4, 0, 8, 0};
    uint32_t number = htole32((uint32_t)pid);
    uint64_t times[2] = {htole64((uint64_t)whole), htole64((uint64_t)drain)};
    memcpy(body + 4, &number, 4);
    memcpy(body + 12, &times[0], 8);
    memcpy(body + 20, (unsigned char[]){21, 0, 8, 0}, 4);
    memcpy(body + 24, &times[1], 8);
    memcpy(body + 32, (unsigned char[]){8, 0, 1, 0, 5}, 5);
    says(w, O_EXPECT, body, pidfd >= 0 ? 37 : 32, pidfd);
}

/* One will come that is not there yet. */
HARNESS void announces(struct observer *w, int64_t whole, int64_t drain) { expects(w, 0, -1, whole, drain); }

HARNESS void calls_off(struct observer *w, pid_t pid)
{
    unsigned char body[8] = {19, 0, 4, 0};
    uint32_t number = htole32((uint32_t)pid);
    memcpy(body + 4, &number, 4);
    says(w, O_CALL_OFF, body, sizeof body, -1);
}

#endif
