/* A fork server that listens somewhere can be asked by anybody who finds it, and whoever asks gets a process. This one has no name: its channel is a
   pair, of which one end is inherited; and nothing that is forked from it holds that end. */
/* covers: FS-12, C15-1 */
#include "preloading.h"

#include <stddef.h>
#include <sys/un.h>

static void say(const char *question, char *answer, size_t cap)
{
    snprintf(answer, cap, "%s", question);
}

/* The socket of this inode, as the kernel lists it, can be found by somebody. (The kernel itself gives a name to one that asks for credentials and speaks:
   nobody can connect to it, for it does not listen.) */
static bool can_be_found(const char *inode)
{
    char line[512], own[32], path[256];
    unsigned flags;
    bool found = false;
    FILE *list = fopen("/proc/net/unix", "re");
    CHECK(list);
    while (fgets(line, sizeof line, list)) {
        int fields = sscanf(line, "%*s %*s %*s %x %*s %*s %31s %255s", &flags, own, path);
        if (fields < 2 || strcmp(own, inode) != 0)
            continue;
        found |= flags & 0x10000; /* SO_ACCEPTCON */
        if (fields < 3)
            continue;
        found |= path[0] != '@';
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        size_t length = strlen(path + 1);
        memcpy(address.sun_path + 1, path + 1, length);
        int stranger = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        found |= connect(stranger, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)) == 0;
        close(stranger);
    }
    fclose(list);
    return found;
}

/* How many sockets it has; none of them can be found. */
static int sockets_of(int32_t pid)
{
    char path[300], target[128], inode[32];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *fds = opendir(path);
    CHECK(fds);
    for (struct dirent *entry; (entry = readdir(fds)) != NULL;) {
        snprintf(path, sizeof path, "/proc/%d/fd/%.32s", pid, entry->d_name);
        ssize_t got = readlink(path, target, sizeof target - 1);
        target[got > 0 ? got : 0] = 0;
        if (sscanf(target, "socket:[%31[0-9]", inode) != 1)
            continue;
        count++;
        CHECK(!can_be_found(inode));
    }
    closedir(fds);
    return count;
}

int main(int argc, char **argv)
{
    if (is_application(argc, argv))
        return be_application(argv[2], PS_FORK_SIBLING, NULL, say);
    house h = house_of("plain");
    worker w = house_worker(&h);
    CHECK(sockets_of(house_pid(&h)) >= 1);
    CHECK(sockets_of(w.pid) == 2); /* its pair, its connection */
    CHECK(sockets_of(getpid()) >= 3);
    worker_end(&w);
    house_end(&h);
    return 0;
}
