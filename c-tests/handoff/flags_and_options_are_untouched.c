/* Neither success nor an abort touches what the generations share: O_NONBLOCK on or off, socket options, the line
   of connections that wait to be accepted, also of those that came while nobody accepted. */
/* covers: LAW-16, B1, S7 */
#include "harness.h"
#include "handoff.h"

static void check(int fd, int flags)
{
    int value = 0;
    socklen_t length = sizeof value;
    CHECK_INT(fcntl(fd, F_GETFL), flags);
    CHECK(getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, &length) == 0 && value == 1);
    CHECK(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 && value == 1);
}

static int listener(int type, struct sockaddr_in *name)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | type, 0), on = 1;
    socklen_t length = sizeof *name;
    *name = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    CHECK(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    CHECK(bind(fd, (struct sockaddr *)name, sizeof *name) == 0 && listen(fd, 16) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)name, &length) == 0);
    return fd;
}

static int connected(const struct sockaddr_in *name)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && connect(fd, (const struct sockaddr *)name, sizeof *name) == 0);
    return fd;
}

int main(void)
{
    struct sockaddr_in blocking_name, other_name;
    int blocking = listener(0, &blocking_name), other = listener(SOCK_NONBLOCK, &other_name);
    int flags = fcntl(blocking, F_GETFL), other_flags = fcntl(other, F_GETFL);
    CHECK(!(flags & O_NONBLOCK) && (other_flags & O_NONBLOCK));
    stage_begin();
    stage.probation = 50;
    party *o = first("old");
    hand_on(o, "blocking", blocking);
    hand_on(o, "other", other);
    int waiting[8], count = 0;
    for (int round = 0; round < 2; round++) { /* an abort, then a success */
        waiting[count++] = connected(&blocking_name);
        party *n = upgrade(o, "new", 20000);
        enter(n, PS_HANDOFF_SUCCESSOR);
        close(taken(n, "blocking"));
        close(taken(n, "other"));
        bring(o, n, LOADING, SEALING);
        check(blocking, flags);
        check(other, other_flags);
        waiting[count++] = connected(&blocking_name);
        if (round == 0) {
            crash(n);
            expect(o, RESUME);
            aborted(o, PS_ERR_EXITED);
            gone(n);
        } else {
            bring(o, n, SEALING, SETTLED);
            leave(o);
        }
        check(blocking, flags);
        check(other, other_flags);
        waiting[count++] = connected(&blocking_name);
    }
    for (int i = 0; i < count; i++) {
        struct sockaddr_in there, here;
        socklen_t length = sizeof here;
        CHECK(is_readable(blocking, 0));
        int fd = accept4(blocking, (struct sockaddr *)&there, &length, SOCK_CLOEXEC);
        CHECK(fd >= 0);
        length = sizeof here;
        CHECK(getsockname(waiting[i], (struct sockaddr *)&here, &length) == 0 && here.sin_port == there.sin_port); /* in order */
        close(fd);
    }
    CHECK(!is_readable(blocking, 0));
    stage_end();
    return 0;
}
