/* A host that runs with 0, 1 and 2 closed, as daemons do until they open their log: nothing of ours may sit on these numbers, or the host's
   log, put there later, would be closed with the next reap. */
/* covers: LAW-12 */
#include "harness.h"
#include "children.h"

static void with_closed_standard_streams(void)
{
    ps_error *error = NULL;
    close(0);
    close(1);
    int keep = fcntl(2, F_DUPFD_CLOEXEC, 100);
    close(2);
    ps_supervisor *supervisor = supervisor_new();
    ps_child *children[3] = {spawn_once(NULL, pausing()), spawn_once(supervisor, pausing()), NULL};
    ps_command *piped = pausing();
    set_stdio(piped, 0, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_capture(piped, 100, &error), error);
    CHECK_OK(ps_command_deadline(piped, 3600000, &error), error);
    children[2] = spawn_once(supervisor, piped);
    int events = -1, mine[3];
    CHECK_OK(ps_supervisor_fd(supervisor, &events, &error), error);
    for (int fd = 0; fd < 3; fd++) {
        bool free_number = fcntl(fd, F_GETFD) == -1;
        mine[fd] = open("/dev/zero", O_RDWR);
        if (!free_number || mine[fd] != fd) {
            dup2(keep, 2);
            CHECK_INT(mine[fd], fd);
        }
    }
    for (int i = 0; i < 3; i++) {
        ps_terminate(children[i], 0, NULL, NULL);
        ps_child_free(children[i]);
    }
    ps_supervisor_free(supervisor);
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) == -1)
            _exit(1);
}

int main(void)
{
    in_forked_process(with_closed_standard_streams);
    return 0;
}
