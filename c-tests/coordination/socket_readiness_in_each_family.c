/* PS_READY_SOCKET: by path, by abstract name, by address; found soon after somebody listens. Nothing is sent. Where nobody does, the error
   says what the last try came to. */
/* covers: C13-3, RP-12, PA-50 */
/* variants: few */
#include "harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "ready.h"
#include "supervising.h"

/* A port that nobody has: below those that the kernel gives away, if it may be. */
static int free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && getsockname(fd, (struct sockaddr *)&at, &length) == 0);
    close(fd);
    return ntohs(at.sin_port);
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    char detail[128], action[128];
    warm_up();
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    for (int way = 0; way < 4; way++) {
        for (int alone = 0; alone < 2; alone++) {
            ps_exit exit = {.size = sizeof exit};
            int port = free_port();
            if (way == 0) {
                snprintf(detail, sizeof detail, "unix:%s", ready_path(alone ? "a" : "b"));
                snprintf(action, sizeof action, "%s", detail);
            } else if (way == 1) {
                snprintf(detail, sizeof detail, "unix:@procsup-ready-%d-%d", (int)getpid(), alone);
                snprintf(action, sizeof action, "%s", detail);
            } else {
                snprintf(detail, sizeof detail, way == 2 ? "tcp:127.0.0.1:%d" : "tcp:localhost:%d", port);
                snprintf(action, sizeof action, "tcp:%d", port);
            }
            ps_child *child = spawn_in(alone ? NULL : supervisor, ready_command(PS_READY_SOCKET, detail, 60000, "sleep:30", action, "pause", NULL));
            CHECK_OK(ps_wait_ready(child, -1, &error), error);
            end_child(child);

            child = spawn_in(alone ? NULL : supervisor, ready_command(PS_READY_SOCKET, way == 0 ? "unix:/nonexistent/socket" : detail, 150, "pause", NULL));
            CHECK_ERROR(ps_wait_ready(child, -1, &error), PS_ERR_TIMEOUT, &error);
            CHECK(step_is(error, "ready"));
            CHECK_INT(ps_error_errno(error), way == 0 ? ENOENT : ECONNREFUSED);
            CHECK(strstr(ps_error_message(error), way == 0 ? "/nonexistent/socket" : detail));
            ps_error_free(error);
            CHECK_OK(ps_reap(child, -1, &exit, &error), error);
            CHECK_INT(exit.cause, PS_CAUSE_NOT_READY);
            ps_child_free(child);
        }
    }
    ps_supervisor_free(supervisor);
    return 0;
}
