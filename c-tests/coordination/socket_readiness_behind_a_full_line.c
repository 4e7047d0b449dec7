/* A listener whose line is full answers no connect: it stays under way, is begun anew from time to time, and costs the host neither descriptors nor
   its sleep. The child's time ends it, or somebody who accepts after all. */
/* covers: C13-3, RP-12, LAW-17 */
/* variants: few */
#include "harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "ready.h"
#include "supervising.h"

static struct sockaddr_in at = {.sin_family = AF_INET};
static int full[16], fulls;

/* A listener on 127.0.0.1 who accepts nobody, and so many connections that the next is not answered. */
static int full_listener(void)
{
    socklen_t length = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 0) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&at, &length) == 0);
    for (bool waits = false; !waits;) {
        CHECK(fulls < 16);
        int fd = full[fulls++] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct pollfd writable = {.fd = fd, .events = POLLOUT};
        CHECK(fd >= 0 && (connect(fd, (struct sockaddr *)&at, sizeof at) == 0 || errno == EINPROGRESS));
        waits = poll(&writable, 1, 200) == 0;
    }
    return listener;
}

static void empty(int listener)
{
    while (fulls > 0)
        close(full[--fulls]);
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
        close(fd);
}

static long used_ms(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

int main(void)
{
    char detail[64];
    ps_error *error = NULL;
    warm_up();
    for (int alone = 0; alone < 2; alone++) {
        ps_supervisor *supervisor = alone ? NULL : supervisor_new();
        at.sin_port = 0;
        int listener = full_listener();
        snprintf(detail, sizeof detail, "tcp:127.0.0.1:%d", ntohs(at.sin_port));

        /* Its time ends it; nothing is left of the connects. */
        ps_child *child = spawn_in(supervisor, ready_command(PS_READY_SOCKET, detail, 1500, "pause", NULL));
        int before = count_fds();
        long used = used_ms();
        CHECK_STATUS(ps_wait_ready(child, 300, NULL), PS_ERR_TIMEOUT);
        CHECK(count_fds() <= before + 3);
        CHECK_ERROR(ps_wait_ready(child, PATIENCE_MS, &error), PS_ERR_TIMEOUT, &error);
        CHECK(step_is(error, "ready"));
        CHECK(strstr(ps_error_message(error), "nobody accepts at tcp:127.0.0.1:"));
        ps_error_free(error);
        CHECK(used_ms() - used < 200 * slowness());
        ps_child_free(child);

        /* Somebody accepts after all. */
        child = spawn_in(supervisor, ready_command(PS_READY_SOCKET, detail, 600000, "pause", NULL));
        CHECK_STATUS(ps_wait_ready(child, 100, NULL), PS_ERR_TIMEOUT);
        CHECK(fcntl(listener, F_SETFL, O_NONBLOCK) == 0 && listen(listener, 8) == 0);
        empty(listener);
        CHECK_OK(ps_wait_ready(child, PATIENCE_MS, &error), error);
        end_child(child);
        close(listener);
        ps_supervisor_free(supervisor);
    }
    return 0;
}
