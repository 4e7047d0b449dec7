/* A worker has its own channel, and nothing of what the preloader keeps for itself or for other workers; and the preloader keeps nothing of a worker's: what a
   worker is given passes it by. */
/* covers: C15-1, FS-4, FS-13 */
#include "native_host.h"

static int open_in(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    return entries_in(path);
}

/* Whether it looks at its host's process. */
static int pidfds_in(pid_t pid)
{
    char path[64], link[64];
    int count = 0;
    for (int fd = 0; fd < 64; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
        ssize_t length = readlink(path, link, sizeof link - 1);
        link[length < 0 ? 0 : length] = 0;
        count += strncmp(link, "pidfd:", 6) == 0 || strcmp(link, "anon_inode:[pidfd]") == 0;
    }
    return count;
}

/* `more`: what the preloader has while three of its workers live. */
static void none_but_its_own(const char *how, bool sibling, int more)
{
    host h = host_begin(how, NULL);
    host_ready(&h);
    CHECK(wait_until(process_state(h.pid) == 'S', PATIENCE_MS));
    int before = open_in(h.pid), host = pidfds_in(h.pid);
    CHECK(host <= 1);
    newborn made[3];
    for (int i = 0; i < 3; i++) {
        made[i] = host_fork(&h, 10 + (uint64_t)i, -1);
        host_greeted(&made[i]);
        host_born(&h, made[i].birth, sibling);
        host_go(&made[i]);
        host_hear_kind(made[i].end, W_READY);
        CHECK_INT(getpgid(made[i].pid), made[i].pid);
        /* Without the control channel, the set that it is watched in, the directory of threads and the host's process, and with one of its own; its own look
           at that process comes when it first asks what is wished of it. */
        CHECK(wait_until(open_in(made[i].pid) - pidfds_in(made[i].pid) == before - 2 - host, PATIENCE_MS));
        CHECK(pidfds_in(made[i].pid) <= 1);
    }
    CHECK(wait_until(open_in(h.pid) == before + more, PATIENCE_MS));
    for (int i = 0; i < 3; i++) {
        close(made[i].end);
        if (sibling)
            CHECK_INT(host_reap(made[i].pid), 0);
        else
            host_hear_kind(h.channel, W_ENDED);
        host_say(&h, W_RELEASE, made[i].birth);
    }
    host_end(&h);
}

/* Those that stand in line while it is made, too; and in an event loop. */
static void none_of_those_in_line(void)
{
    host h = host_begin("how=sibling", "poll", NULL);
    host_ready(&h);
    CHECK(wait_until(process_state(h.pid) == 'S', PATIENCE_MS));
    int before = open_in(h.pid) - pidfds_in(h.pid);
    newborn made[3];
    kill(h.pid, SIGSTOP);
    CHECK(wait_until(process_state(h.pid) == 'T', PATIENCE_MS));
    for (int i = 0; i < 3; i++)
        made[i] = host_fork(&h, 10 + (uint64_t)i, -1);
    kill(h.pid, SIGCONT);
    for (int i = 0; i < 3; i++) {
        host_greeted(&made[i]);
        host_born(&h, made[i].birth, true);
        host_go(&made[i]);
        host_hear_kind(made[i].end, W_READY);
        /* Without the channel, the set, its wake-up and the directory of threads. */
        CHECK(wait_until(open_in(made[i].pid) - pidfds_in(made[i].pid) == before - 3, PATIENCE_MS));
    }
    for (int i = 0; i < 3; i++) {
        close(made[i].end);
        CHECK_INT(host_reap(made[i].pid), 0);
    }
    host_end(&h);
}

int main(void)
{
    none_of_those_in_line();
    none_but_its_own("how=sibling", true, 0);
    /* A pidfd of each child of its own; where there are none, a timer for all. */
    int own = (int)syscall(SYS_pidfd_open, getpid(), 0);
    none_but_its_own("how=libc", false, own >= 0 ? 3 : 1);
    if (own >= 0)
        close(own);
}
