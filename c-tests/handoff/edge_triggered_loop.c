/* A loop that watches ps_handoff_fd edge-triggered, and takes until PS_PENDING, misses nothing: of many guests who have come at once all are
   let in or sent away, and after a hundred messages the last one counts. There is no further edge. */
/* covers: F9 */
#include "harness.h"
#include "handoff.h"
#include "handoff_by_hand.h"

#include <sys/epoll.h>

enum { SILENT = 40, GUESTS = 8, MESSAGES = 150 };

static ps_handoff *handoff;
static int edges;

/* Waits for an edge, and takes until PS_PENDING; gives the kind of the last event, 0 if there was none. */
static int drain(void)
{
    struct epoll_event edge;
    int kind = 0;
    CHECK_INT(epoll_wait(edges, &edge, 1, PATIENCE_MS), 1);
    for (;;) {
        ps_handoff_event event = {.size = sizeof event};
        ps_status status = ps_handoff_next_event(handoff, 0, &event, NULL);
        if (status == PS_PENDING)
            return kind;
        CHECK_STATUS(status, PS_OK);
        kind = event.kind;
    }
}

static bool is_sent_away(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

/* A candidate: greets, and, told to go on, says a lot that means nothing, and gives up. */
static pid_t candidate(int tells, int told)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid > 0)
        return pid;
    char byte = 'x';
    int fd = guest();
    hello(fd, 1, 1);
    if (get(fd) != OFFER || write(tells, &byte, 1) != 1 || read(told, &byte, 1) != 1)
        _exit(1);
    for (int i = 0; i < MESSAGES; i++)
        ack(fd, 100);
    plain(fd, ABORT);
    _exit(write(tells, &byte, 1) != 1 || read(told, &byte, 1) != 1);
}

int main(void)
{
    int fd, silent[SILENT], tells[2], told[2];
    char byte;
    stage_begin();
    CHECK_STATUS(ps_handoff_new(stage.path, &handoff, NULL), PS_OK);
    CHECK_STATUS(ps_handoff_fd(handoff, &fd, NULL), PS_OK);
    edges = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event interest = {.events = EPOLLIN | EPOLLET};
    CHECK(edges >= 0 && epoll_ctl(edges, EPOLL_CTL_ADD, fd, &interest) == 0);
    CHECK_INT(drain(), LIVE);
    CHECK_STATUS(ps_handoff_live(handoff, NULL), PS_OK);

    for (int i = 0; i < SILENT; i++)
        CHECK((silent[i] = guest()) >= 0);
    drain();
    for (int i = 0; i < SILENT; i++)
        CHECK(is_sent_away(silent[i]) == (i < SILENT - GUESTS));
    for (int i = 0; i < SILENT; i++)
        close(silent[i]);

    CHECK(pipe2(tells, O_CLOEXEC) == 0 && pipe2(told, O_CLOEXEC) == 0);
    pid_t pid = candidate(tells[1], told[0]);
    for (;;) {
        struct pollfd either[] = {{.fd = edges, .events = POLLIN}, {.fd = tells[0], .events = POLLIN}};
        CHECK(poll(either, 2, PATIENCE_MS) > 0);
        if (either[1].revents)
            break;
        drain();
    }
    CHECK(read(tells[0], &byte, 1) == 1 && write(told[1], "x", 1) == 1);
    CHECK(is_readable(tells[0], PATIENCE_MS)); /* all of it lies there now */
    CHECK_INT(drain(), ABORTED);
    CHECK(write(told[1], "x", 1) == 1);
    int status = wait_for(pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ps_handoff_free(handoff);
    close(edges);
    stage_end();
    return 0;
}
