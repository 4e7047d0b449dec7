/* A worker has the descriptors that it was given under the numbers that were named, whatever stood there, what came included; its own channel moves out of
   the way. Streams stay open for programs that it executes, the others do not. */
/* covers: C15-1, FS-4 */
#include "native_host.h"

enum { COUNT = 12 };

static ino_t inode_of(pid_t pid, int fd)
{
    char path[64];
    struct stat found;
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
    CHECK(stat(path, &found) == 0);
    return found.st_ino;
}

static ino_t own_inode(int fd)
{
    struct stat found;
    CHECK(fstat(fd, &found) == 0);
    return found.st_ino;
}

int main(void)
{
    host h = host_begin("how=sibling", "worker=say", NULL);
    host_ready(&h);
    newborn n = host_fork(&h, 1, -1);
    host_greeted(&n);
    host_born(&h, 1, true);

    /* 3 and up in reverse: they come to the lowest free numbers, in the other order, around those that are in use. And 0 and 1. */
    int pipes[COUNT][2];
    wire_message go = newborn_message(&n, W_GO);
    for (int i = 0; i < COUNT; i++) {
        CHECK(pipe2(pipes[i], O_CLOEXEC) == 0);
        int number = i < 2 ? i : 2 + COUNT - i;
        /* Its log stands somewhere there: it is the application's to lose. */
        wire_value(&go, T_TO, (uint64_t)number, 4);
        go.fds[go.fd_count++] = pipes[i][i == 0 ? 0 : 1];
    }
    CHECK_INT(wire_send(n.end, &go), 0);
    host_hear_kind(n.end, W_READY);
    for (int i = 0; i < COUNT; i++)
        CHECK_INT(inode_of(n.pid, i < 2 ? i : 2 + COUNT - i), own_inode(pipes[i][0]));
    char text[8] = "";
    CHECK_INT(read(pipes[1][0], text, sizeof text), 6);
    CHECK(memcmp(text, "hello\n", 6) == 0);
    for (int i = 0; i < COUNT; i++) {
        char path[64], line[128];
        unsigned long flags = 0;
        int number = i < 2 ? i : 2 + COUNT - i;
        snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)n.pid, number);
        FILE *info = fopen(path, "re");
        while (info && fgets(line, sizeof line, info))
            sscanf(line, "flags: %lo", &flags);
        CHECK(info != NULL);
        fclose(info);
        CHECK_INT(!!(flags & O_CLOEXEC), number > 2);
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
    close(n.end);
    CHECK_INT(host_reap(n.pid), 0);

    /* What makes no sense is told, and ends it. */
    newborn odd = host_fork(&h, 2, -1);
    host_greeted(&odd);
    host_born(&h, 2, true);
    wire_message twice = newborn_message(&odd, W_GO);
    for (int i = 0; i < 2; i++) {
        wire_value(&twice, T_TO, 9, 4);
        twice.fds[twice.fd_count++] = 1;
    }
    CHECK_INT(wire_send(odd.end, &twice), 0);
    wire_message failed = host_hear_kind(odd.end, W_FAILED);
    CHECK_INT((int32_t)wire_find(&failed, T_STATUS, 0, 0), PS_ERR_PROTOCOL);
    CHECK_INT(host_reap(odd.pid), 1);
    close(odd.end);
    host_end(&h);
}
