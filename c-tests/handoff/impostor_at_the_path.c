/* A process of another user answers at the control path: it has bound a socket there, or got hold of the one that listens. Root takes nothing
   from it, whatever lock it sends: none, another file, the true one opened for reading only, opened beside who holds it, or held while
   anybody may write to it. Nor is it believed when it says that it is busy. What it sends is right in all else: with the lock itself it is
   taken for the running generation. */
/* covers: F31, S10, LAW-17 */
/* as-root */
#include "handoff_by_hand.h"
#include "handoff_users.h"

#include <sys/file.h>
#include <sys/mman.h>

/* An epoch page as after an offer of generation 1. */
static int page(void)
{
    int fd = memfd_create("epoch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    uint64_t words[2] = {0, htole64(UINT64_C(1) << 32 | 1 << 8 | 2)};
    memcpy(words, "PSEPOCH1", 8);
    CHECK(fd >= 0 && ftruncate(fd, 4096) == 0 && pwrite(fd, words, sizeof words, 0) == sizeof words);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0);
    return fd;
}

static size_t tag(unsigned char *at, int number, size_t length, const void *value)
{
    unsigned char head[4] = {(unsigned char)number, 0, (unsigned char)length, 0};
    memcpy(at, head, 4);
    memcpy(at + 4, value, length);
    return 4 + length;
}

/* When this process began: before Linux 6.5 whoever offers has to say so. */
static uint64_t start_time(void)
{
    char text[1024] = "";
    unsigned long long start = 0;
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && read(fd, text, sizeof text - 1) > 0 && strrchr(text, ')'));
    CHECK_INT(sscanf(strrchr(text, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &start), 1);
    close(fd);
    return htole64(start);
}

/* The only part of an offer, with this lock; -1: with none. */
static void send_offer(int fd, int lock)
{
    struct message m = {.type = htole16(OFFER), .id = htole64(1 << 24 | 1), .seq = htole32(1)};
    uint16_t part[3] = {0, htole16(1), htole16(lock < 0 ? 1 : 2)}, versions[2] = {htole16(1), htole16(1)};
    int64_t whole = 20000000000, limits[4] = {INT64_MAX, INT64_MAX, 5000000000, 2000000000};
    uint64_t start = start_time();
    int fds[2] = {page(), lock};
    char control[CMSG_SPACE(sizeof fds)] = {0};
    size_t length = 0, count = lock < 0 ? 1 : 2;
    memcpy(&m.magic, "PSHO", 4);
    length += tag(m.body + length, 3, sizeof part, part);
    length += tag(m.body + length, 1, sizeof versions, versions);
    length += tag(m.body + length, 4, sizeof whole, &whole);
    length += tag(m.body + length, 5, 1, "\0");
    length += tag(m.body + length, 6, sizeof limits, limits);
    length += tag(m.body + length, 2, sizeof start, &start);
    for (size_t i = 0; i < count; i++)
        length += tag(m.body + length, 8, 1, &(char){(char)(i + 1)});
    m.length = htole32((uint32_t)length);
    struct iovec bytes = {.iov_base = &m, .iov_len = 24 + length};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control};
    message.msg_controllen = CMSG_SPACE(count * sizeof *fds);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    *rights = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(count * sizeof *fds)};
    memcpy(CMSG_DATA(rights), fds, count * sizeof *fds);
    CHECK(sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)bytes.iov_len);
}

enum { NONE = -1, BUSY = -2 };

/* Its one guest gets this, and it waits to be ended. */
static pid_t impostor(int listener, int lock)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid != 0)
        return pid;
    CHECK(setresuid(OTHER, OTHER, OTHER) == 0 && listen(listener, 8) == 0); /* it is named as the listener */
    CHECK(is_readable(listener, PATIENCE_MS));
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(fd >= 0 && get(fd) == HELLO);
    id = 0;
    if (lock == BUSY)
        put(fd, NAK, 0, "\x0b\0\1\0\1", 5);
    else
        send_offer(fd, lock);
    for (;;)
        pause();
}

/* A root process that finds it; `taken`: it is believed. */
static void meets(const char *name, int listener, int lock, bool taken)
{
    pid_t pid = impostor(listener, lock);
    party *n = start(name);
    ask_for(n, PS_ERR_NOT_FOUND, "new %s/nowhere/control", stage.dir); /* what the library keeps is there */
    long long before = ask_number(n, "fds");
    say(n, "new %s", stage.path);
    const char *words = answered(n, name, taken ? "PS_OK" : "PS_ERR_PEER_REJECTED");
    char who[64];
    snprintf(who, sizeof who, "process %d of user %d", (int)pid, OTHER);
    if (!taken && !strstr(words, who))
        harness_fail(__FILE__, __LINE__, "%s: %s", name, words);
    if (!taken)
        CHECK_INT(ask_number(n, "fds"), before); /* nothing that came is kept */
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
    leave(n);
}

int main(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (geteuid() != 0)
        SKIP("needs root");
    stage_of(0, 01777);
    snprintf(name.sun_path, sizeof name.sun_path, "%s", stage.path);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 8) == 0);
    CHECK(chown(stage.path, OTHER, OTHER) == 0);

    char other[128];
    snprintf(other, sizeof other, "%s/other", stage.dir);
    int lock = open(stage.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600), its = open(other, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int reading = open(stage.lock, O_RDONLY | O_CLOEXEC), beside = open(stage.lock, O_RDWR | O_CLOEXEC);
    CHECK(lock >= 0 && its >= 0 && reading >= 0 && beside >= 0);
    CHECK(flock(lock, LOCK_EX) == 0 && flock(its, LOCK_EX) == 0);
    meets("no lock", listener, NONE, false);
    meets("another file", listener, its, false);
    meets("opened for reading", listener, reading, false);
    meets("opened beside the holder", listener, beside, false);
    meets("busy", listener, BUSY, false);
    CHECK(chmod(stage.lock, 0622) == 0);
    meets("a file that anybody may write to", listener, lock, false);
    CHECK(chmod(stage.lock, 0600) == 0);
    meets("the lock", listener, lock, true);
    /* the look has neither taken the lock nor let go of it */
    CHECK(flock(reading, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK);
    close(lock);
    CHECK(flock(reading, LOCK_SH | LOCK_NB) == 0);
    unlink(other);
    stage_end();
    return 0;
}
