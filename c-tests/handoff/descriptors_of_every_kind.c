/* Whatever has a number can be handed on: listeners and connections, UDP, unix, pipes, eventfds, memfds, files,
   directories, epoll sets. What arrives is the same open file description, close-on-exec, and it still works when the old
   generation is gone. */
/* covers: B20, S5, D1.5 */
#include "harness.h"
#include "handoff.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/timerfd.h>

static struct thing {
    const char *name;
    int fd, here;
} things[] = {{"tcp listener", -1, -1}, {"tcp connection", -1, -1}, {"udp", -1, -1},     {"unix listener", -1, -1}, {"unix dgram", -1, -1},
              {"pipe r", -1, -1},       {"pipe w", -1, -1},         {"eventfd", -1, -1}, {"memfd", -1, -1},         {"file", -1, -1},
              {"directory", -1, -1},    {"epoll", -1, -1},          {"timer", -1, -1},   {"null", -1, -1}};
enum { TCP, CONNECTION, UDP, UNIX, DGRAM, PIPE_R, PIPE_W, EVENT, MEMORY, FILE_, DIRECTORY, EPOLL, TIMER, NUL, THINGS };

int main(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof any;
    int pipes[2], pair[2];
    char text[16] = "", template[] = "/tmp/procsup-test-XXXXXX";
    uint64_t count = 41;
    stage_begin();
    stage.probation = 50;

    things[TCP].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(things[TCP].fd, (struct sockaddr *)&any, sizeof any) == 0 && listen(things[TCP].fd, 8) == 0);
    CHECK(getsockname(things[TCP].fd, (struct sockaddr *)&any, &length) == 0);
    int other_end = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(other_end, (struct sockaddr *)&any, sizeof any) == 0);
    things[CONNECTION].fd = accept4(things[TCP].fd, NULL, NULL, SOCK_CLOEXEC);
    any.sin_port = 0;
    things[UDP].fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(bind(things[UDP].fd, (struct sockaddr *)&any, sizeof any) == 0);
    things[UNIX].fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un nameless = {.sun_family = AF_UNIX};
    CHECK(bind(things[UNIX].fd, (struct sockaddr *)&nameless, sizeof nameless.sun_family) == 0 && listen(things[UNIX].fd, 8) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) == 0 && pipe2(pipes, O_CLOEXEC) == 0);
    things[DGRAM].fd = pair[0];
    things[PIPE_R].fd = pipes[0];
    things[PIPE_W].fd = pipes[1];
    things[EVENT].fd = eventfd(0, EFD_CLOEXEC);
    things[MEMORY].fd = memfd_create("test", MFD_CLOEXEC);
    things[FILE_].fd = mkostemp(template, O_CLOEXEC);
    unlink(template);
    things[DIRECTORY].fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    things[EPOLL].fd = epoll_create1(EPOLL_CLOEXEC);
    things[TIMER].fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    things[NUL].fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    party *o = first("old");
    for (int i = 0; i < THINGS; i++)
        hand_on(o, things[i].name, things[i].fd);
    party *n = upgrade(o, "new", 20000);
    enter(n, PS_HANDOFF_SUCCESSOR);
    for (int i = 0; i < THINGS; i++) {
        things[i].here = taken(n, things[i].name);
        if (!same_description(things[i].fd, things[i].here))
            harness_fail(__FILE__, __LINE__, "%s is another one", things[i].name);
    }
    bring(o, n, LOADING, SETTLED);
    leave(o);

    /* and once more, from the one that has taken them: now they come from a process that was handed them */
    for (int i = 0; i < THINGS; i++)
        close(things[i].here);
    party *m = upgrade(n, "third", 20000);
    enter(m, PS_HANDOFF_SUCCESSOR);
    for (int i = 0; i < THINGS; i++) {
        things[i].here = taken(m, things[i].name);
        CHECK(same_description(things[i].fd, things[i].here));
    }
    CHECK(write(things[CONNECTION].here, "tcp", 3) == 3 && read(other_end, text, 3) == 3 && memcmp(text, "tcp", 3) == 0);
    CHECK(write(things[PIPE_W].here, "pipe", 4) == 4 && read(things[PIPE_R].fd, text, 4) == 4 && memcmp(text, "pipe", 4) == 0);
    CHECK(write(things[DGRAM].here, "dgram", 5) == 5 && read(pair[1], text, 16) == 5);
    CHECK(write(things[EVENT].here, &count, 8) == 8 && read(things[EVENT].fd, &count, 8) == 8 && count == 41);
    CHECK(write(things[FILE_].here, "file", 4) == 4 && lseek(things[FILE_].fd, 0, SEEK_CUR) == 4); /* one offset */
    CHECK(write(things[MEMORY].here, "memory", 6) == 6 && lseek(things[MEMORY].fd, 0, SEEK_CUR) == 6);
    stage_end();
    return 0;
}
