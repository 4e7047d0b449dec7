/* A stop plan that never kills would never let a shutdown end: it gets a last step. */
/* covers: SC-8 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    char line[16];
    ps_supervisor *supervisor = new_supervisor(1);
    ps_command *command = name_it(helper_command("ignore_term", NULL), 1);
    CHECK_OK(ps_command_stop_step(command, SIGTERM, 60000, &error), error);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(supervisor, command);
    int fd = pipe_end(child, 1);
    CHECK(read_line(fd, line, sizeof line));
    close(fd);
    shut_down(supervisor, 20);
    expect(supervisor, PS_EVENT_STARTED, 1);
    ps_event ended = expect(supervisor, PS_EVENT_EXITED, 1);
    CHECK(ended.exit.signal == SIGKILL && ended.exit.cause == PS_CAUSE_SHUTDOWN);
    expect(supervisor, PS_EVENT_SHUTDOWN_DONE, 0);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
