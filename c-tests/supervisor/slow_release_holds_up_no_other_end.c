/* Of two children that have ended the first owns a socket whose close waits. Who waits for a third one releases it, or who takes
   events, and sits in that close; what ended beside it is told to another who takes events all the same. */
/* covers: LAW-12 */
/* variants: none */
#include "harness.h"
#include "supervising.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum { STUCK, PLAIN, OTHER };

/* A socket with data that its peer does not take: its close waits for that, or until the peer is gone. */
static int stuck(int *peer)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(listener, (struct sockaddr *)&at, length) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&at, &length) == 0 && connect(fd, (struct sockaddr *)&at, length) == 0);
    CHECK((*peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0 && close(listener) == 0);
    struct linger waits = {.l_onoff = 1, .l_linger = 40};
    CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &waits, sizeof waits) == 0);
    static char bytes[1 << 16];
    while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        ;
    return fd;
}

static uint64_t next_end(ps_supervisor *supervisor)
{
    ps_event event = {.size = sizeof event};
    CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, NULL), NULL);
    CHECK_INT(event.kind, PS_EVENT_EXITED);
    return event.user_data;
}

static void *reap_it(void *child)
{
    ps_exit end = {.size = sizeof end};
    CHECK_OK(ps_reap(child, PATIENCE_MS, &end, NULL), NULL);
    return NULL;
}

static void *take_it(void *supervisor)
{
    CHECK_INT(next_end(supervisor), STUCK);
    return NULL;
}

static void told_beside(bool taker)
{
    int peer, fd = stuck(&peer);
    ps_supervisor *supervisor = new_supervisor(0);
    ps_command *owner = pausing();
    CHECK_OK(ps_command_own_fd(owner, fd, NULL), NULL);
    ps_child *slow = spawn_named(supervisor, owner, STUCK), *plain = spawn_named(supervisor, pausing(), PLAIN);
    ps_child *other = spawn_named(supervisor, pausing(), OTHER), *ended[] = {slow, plain};
    for (int i = 0; i < 3; i++)
        take_event(supervisor, PS_EVENT_STARTED);
    pid_t first = pid_of(slow);
    for (int i = 0; i < 2; i++) {
        pid_t pid = pid_of(ended[i]);
        CHECK(kill(pid, SIGKILL) == 0 && wait_until(process_state(pid) == 'Z', PATIENCE_MS));
    }
    pthread_t thread;
    thread_start(&thread, taker ? take_it : reap_it, taker ? (void *)supervisor : (void *)other);
    CHECK(wait_until(kill(first, 0) != 0, PATIENCE_MS));
    CHECK(readable(fd_of(supervisor), PATIENCE_MS));
    CHECK_INT(next_end(supervisor), PLAIN);
    CHECK(close(peer) == 0);
    if (!taker)
        CHECK_INT(next_end(supervisor), STUCK);
    CHECK_OK(ps_signal(other, SIGKILL, NULL), NULL);
    CHECK(pthread_join(thread, NULL) == 0);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    told_beside(false);
    told_beside(true);
    return 0;
}
