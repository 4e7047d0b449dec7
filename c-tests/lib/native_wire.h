/* The native protocol by hand, as src/preloader/native/wire.rs has it: messages are built and read byte by byte, so that a test can say anything. */
#ifndef PROCSUP_TEST_NATIVE_WIRE_H
#define PROCSUP_TEST_NATIVE_WIRE_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { W_HELLO = 1, W_READY, W_FAILED, W_BORN, W_REFUSED, W_ENDED, W_LEAVING, W_FORK = 16, W_RELEASE, W_CANCEL, W_STOP, W_GO, W_PROMOTE, W_NAK = 31 };
enum { T_VERSIONS = 1, T_FLAGS, T_BIRTH, T_PID, T_LEFT, T_STATUS, T_ERRNO, T_TEXT, T_ENDING, T_END = 16, T_PIDFD, T_CONTROL, T_TO };
enum { W_LONGEST = 4096, W_MOST_FDS = 252 };

/* A message that is being built, or was read. */
typedef struct wire_message {
    unsigned char bytes[W_LONGEST];
    size_t length;
    int fds[W_MOST_FDS];
    int fd_count;
    uint16_t kind;
    uint64_t id;
} wire_message;

static inline void wire_number(wire_message *m, size_t at, uint64_t value, int size)
{
    for (int i = 0; i < size; i++)
        m->bytes[at + i] = (unsigned char)(value >> (8 * i));
}

static inline uint64_t wire_read(const unsigned char *at, int size)
{
    uint64_t value = 0;
    for (int i = size - 1; i >= 0; i--)
        value = value << 8 | at[i];
    return value;
}

static inline wire_message wire_begin(uint16_t kind, uint64_t id, uint32_t seq)
{
    wire_message m = {.length = 24, .kind = kind, .id = id};
    memcpy(m.bytes, "PSPL", 4);
    wire_number(&m, 4, kind, 2);
    wire_number(&m, 8, id, 8);
    wire_number(&m, 16, seq, 4);
    return m;
}

static inline void wire_bytes(wire_message *m, uint16_t tag, const void *value, size_t length)
{
    wire_number(m, m->length, tag, 2);
    wire_number(m, m->length + 2, length, 2);
    memcpy(m->bytes + m->length + 4, value, length);
    m->length += 4 + length;
}

static inline void wire_value(wire_message *m, uint16_t tag, uint64_t value, int size)
{
    unsigned char bytes[8];
    for (int i = 0; i < size; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    wire_bytes(m, tag, bytes, (size_t)size);
}

static inline void wire_fd(wire_message *m, uint16_t tag, int fd)
{
    wire_bytes(m, tag, "", 0);
    m->fds[m->fd_count++] = fd;
}

/* 0, or an errno. */
static inline int wire_send(int channel, wire_message *m)
{
    wire_number(m, 20, m->length - 24, 4);
    struct iovec iov = {.iov_base = m->bytes, .iov_len = m->length};
    static char control[CMSG_SPACE(sizeof(int) * W_MOST_FDS)];
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
    if (m->fd_count) {
        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)m->fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&header);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)m->fd_count);
        memcpy(CMSG_DATA(c), m->fds, sizeof(int) * (size_t)m->fd_count);
    }
    for (;;) {
        if (sendmsg(channel, &header, MSG_NOSIGNAL) >= 0)
            return 0;
        if (errno != EINTR)
            return errno;
    }
}

/* Waits for one. False: the end. */
static inline bool wire_receive(int channel, wire_message *m)
{
    static char control[CMSG_SPACE(sizeof(int) * W_MOST_FDS) + 64];
    struct iovec iov = {.iov_base = m->bytes, .iov_len = sizeof m->bytes};
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t got;
    do
        got = recvmsg(channel, &header, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    m->fd_count = 0;
    if (got < 24)
        return false;
    m->length = (size_t)got;
    m->kind = (uint16_t)wire_read(m->bytes + 4, 2);
    m->id = wire_read(m->bytes + 8, 8);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            int count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(m->fds, CMSG_DATA(c), sizeof(int) * (size_t)count);
            m->fd_count = count;
        }
    return true;
}

/* The nth value of this tag; `missing` if there is none. */
static inline uint64_t wire_find(const wire_message *m, uint16_t tag, int nth, uint64_t missing)
{
    for (size_t at = 24; at + 4 <= m->length;) {
        uint16_t here = (uint16_t)wire_read(m->bytes + at, 2);
        size_t length = (size_t)wire_read(m->bytes + at + 2, 2);
        if (here == tag && nth-- == 0)
            return wire_read(m->bytes + at + 4, length > 8 ? 8 : (int)length);
        at += 4 + length;
    }
    return missing;
}

#endif
