/* A peer that speaks the protocol by hand (docs/handoff-protocol.md), one message at a time: guest() of handoff.h, hello(), ack(), ... */
#ifndef PROCSUP_TEST_HANDOFF_BY_HAND_H
#define PROCSUP_TEST_HANDOFF_BY_HAND_H

#include "children.h"
#include "handoff.h"

#include <endian.h>

enum { HELLO = 1, OFFER, ACK, WARM_, DELTA, COMMIT, LIVE_, SETTLE, SETTLED_, ABORT, NAK };

static struct message {
    uint32_t magic;
    uint16_t type, flags;
    uint64_t id;
    uint32_t seq, length;
    unsigned char body[200];
} received;

static uint64_t id;
static uint32_t seq;
static int part, parts; /* of the last message received that is one of several; -1 */

HARNESS void put(int fd, uint16_t type, uint16_t flags, const void *body, uint32_t length)
{
    struct message m = {.type = htole16(type), .flags = htole16(flags), .id = htole64(id), .seq = htole32(++seq)};
    m.length = htole32(length);
    memcpy(&m.magic, "PSHO", 4);
    memcpy(m.body, body, length);
    CHECK_INT(send(fd, &m, 24 + length, MSG_NOSIGNAL), 24 + length);
}

HARNESS void plain(int fd, uint16_t type) { put(fd, type, 0, "", 0); }

/* When this process began, by which it is known before Linux 6.5: field 22 of proc_pid_stat(5). */
HARNESS uint64_t start_of_mine(void)
{
    char line[1024];
    FILE *file = fopen("/proc/self/stat", "re");
    CHECK(file && fgets(line, sizeof line, file));
    fclose(file);
    char *at = strrchr(line, ')');
    for (int field = 2; field < 22 && at; field++)
        at = strchr(at + 1, ' ');
    CHECK(at != NULL);
    return strtoull(at, NULL, 10);
}

HARNESS void hello(int fd, uint16_t low, uint16_t high)
{
    unsigned char body[20] = {1, 0, 4, 0, low & 255, low >> 8, high & 255, high >> 8, 2, 0, 8, 0};
    uint64_t start = htole64(start_of_mine());
    memcpy(body + 12, &start, 8);
    id = seq = 0;
    put(fd, HELLO, 0, body, sizeof body);
}

HARNESS void ack(int fd, uint8_t number)
{
    unsigned char body[10] = {3, 0, 6, 0, number, 0, number + 1, 0, 0, 0};
    put(fd, ACK, 0, body, 10);
}

/* The type of the next message; its descriptors are closed. 0: the end. */
HARNESS int get(int fd)
{
    char control[2048];
    CHECK(is_readable(fd, PATIENCE_MS));
    struct iovec bytes = {.iov_base = &received, .iov_len = sizeof received};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t length = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    for (struct cmsghdr *c = length > 0 ? CMSG_FIRSTHDR(&message) : NULL; c; c = CMSG_NXTHDR(&message, c))
        for (size_t i = 0; c->cmsg_type == SCM_RIGHTS && i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++)
            close(((int *)(void *)CMSG_DATA(c))[i]);
    part = parts = -1;
    for (size_t at = 24, next; at + 4 <= (size_t)(length > 0 ? length : 0); at = next) {
        const unsigned char *item = (const unsigned char *)&received + at;
        next = at + 4 + item[2] + 256u * item[3];
        if (item[0] == 3 && item[1] == 0 && next <= (size_t)length) {
            part = item[4] + 256 * item[5];
            parts = item[6] + 256 * item[7];
        }
    }
    id = length > 0 ? le64toh(received.id) : id;
    return length > 0 ? le16toh(received.type) : 0;
}

#endif
