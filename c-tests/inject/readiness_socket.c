/* Faults while procsup connects to a child's socket: what may pass is tried again, and what may not is a typed error. */
/* variants: only tier-fork: how a child is made in between is swept by spawn_plain and spawn_reap */
/* share: 2 */
#include "scenario.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "ready.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_child *child = NULL;
    ps_exit end = {.size = sizeof end};
    char detail[64];
    /* The test listens itself: then the first try finds somebody, and how many there are is no matter of time. */
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 100) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&at, &length) == 0);
    snprintf(detail, sizeof detail, "tcp:127.0.0.1:%d", ntohs(at.sin_port));
    ps_command *command = ready_command(PS_READY_SOCKET, detail, 30000, "pause", NULL);

    scenario_begin(argc, argv);
    if (worked(ps_supervisor_new(&supervisor, &error), &error)) {
        if (worked(ps_spawn(supervisor, command, &child, &error), &error)) {
            worked(ps_wait_ready(child, 20000, &error), &error);
            worked(ps_terminate(child, 0, &end, &error), &error);
        }
        ps_supervisor_free(supervisor);
        ps_child_free(child);
    }
    scenario_end();
    ps_command_free(command);
    return 0;
}
