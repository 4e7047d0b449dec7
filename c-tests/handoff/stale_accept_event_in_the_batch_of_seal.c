/* One wait of an event loop brings the handoff's descriptor and the listener: SEAL is taken and answered, and the listener's event of the same
   batch is still to come. The phase says that it must not be served; the connection waits, and the successor answers it. */
/* covers: F39, S2 */
#include "harness.h"
#include "handoff.h"

#include <fcntl.h>
#include <sys/epoll.h>

static ps_handoff *handoff;

static int phase(void)
{
    int32_t now = 0;
    CHECK_STATUS(ps_handoff_phase(handoff, &now, NULL), PS_OK);
    return now;
}

/* What the header says: accept in these only. */
static bool may_accept(void)
{
    switch (phase()) {
    case PS_HANDOFF_PHASE_OPENING:
    case PS_HANDOFF_PHASE_PROBATION:
    case PS_HANDOFF_PHASE_SETTLED:
    case PS_HANDOFF_PHASE_OWNER:
    case PS_HANDOFF_PHASE_DRAINING:
    case PS_HANDOFF_PHASE_OVERLAP: return true;
    default: return false;
    }
}

static ps_handoff_event next(int kind)
{
    ps_handoff_event event = {.size = sizeof event};
    CHECK_STATUS(ps_handoff_next_event(handoff, PATIENCE_MS, &event, NULL), PS_OK);
    CHECK_INT(event.kind, kind);
    return event;
}

int main(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof name;
    int fd, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    stage_begin();
    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 8) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&name, &length) == 0);
    stage.port = ntohs(name.sin_port);
    CHECK_STATUS(ps_handoff_new(stage.path, &handoff, NULL), PS_OK);
    CHECK_STATUS(ps_handoff_set_fd(handoff, "http", listener, NULL), PS_OK);
    CHECK_STATUS(ps_handoff_fd(handoff, &fd, NULL), PS_OK);
    int loop = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event watch[2] = {{.events = EPOLLIN, .data = {.fd = fd}}, {.events = EPOLLIN, .data = {.fd = listener}}};
    CHECK(loop >= 0 && epoll_ctl(loop, EPOLL_CTL_ADD, fd, &watch[0]) == 0 && epoll_ctl(loop, EPOLL_CTL_ADD, listener, &watch[1]) == 0);
    CHECK(!may_accept());
    next(LIVE);
    CHECK_STATUS(ps_handoff_live(handoff, NULL), PS_OK);
    CHECK(may_accept());

    party *n = takeover("new");
    ps_handoff_event none = {.size = sizeof none};
    say(n, "new %s", stage.path);
    while (!is_readable(n->fd, 0))
        CHECK_STATUS(ps_handoff_next_event(handoff, 10, &none, NULL), PS_PENDING);
    answered(n, "new", "PS_OK");
    ask(n, "warm");
    next(DRAIN);
    CHECK(may_accept());
    CHECK_STATUS(ps_handoff_drained(handoff, 0, NULL), PS_OK);

    /* one batch: the last sign of life before SEAL, and a connection */
    CHECK(is_readable(fd, PATIENCE_MS));
    int connection = client(), accepted = 0, sealed = 0;
    CHECK(is_readable(listener, PATIENCE_MS));
    struct epoll_event batch[2];
    CHECK_INT(epoll_wait(loop, batch, 2, PATIENCE_MS), 2);
    if (batch[0].data.fd == listener) /* the worse order */
        batch[0].data.fd = fd, batch[1].data.fd = listener;
    for (int i = 0; i < 2; i++)
        if (batch[i].data.fd == fd) {
            CHECK_INT(next(SEAL).phase, PS_HANDOFF_PHASE_SEALING);
            CHECK(!may_accept());
            CHECK_STATUS(ps_handoff_sealed(handoff, 7, NULL), PS_OK);
            sealed++;
        } else if (may_accept())
            accepted++;
    CHECK(sealed == 1 && accepted == 0);
    CHECK_INT(phase(), PS_HANDOFF_PHASE_STANDBY);

    expect(n, LIVE);
    ask(n, "live");
    CHECK_INT(answer_to(connection), n->pid);
    CHECK_INT(next(COMMITTED).phase, PS_HANDOFF_PHASE_STANDBY);
    CHECK(!may_accept());

    /* and taken back */
    crash(n);
    next(RESUME);
    CHECK(may_accept());
    next(ABORTED);
    ps_handoff_free(handoff);
    CHECK_STATUS(ps_handoff_phase(handoff, &(int32_t){0}, NULL), PS_ERR_BAD_HANDLE);
    close(loop);
    close(listener);
    stage_end();
    return 0;
}
