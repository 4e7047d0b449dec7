/* When the plan is over and the child is not, the answer is TIMEOUT and the child stays ours. */
/* covers: EV-11, RP-37, D-4 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = shell("trap '' TERM; echo; exec \"$1\"", helper_path("pause_forever"));
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_stop_step(command, SIGTERM, 50, &error), error);
    ps_child *child = spawn_once(NULL, command);
    int fd = pipe_end(child, 1);
    CHECK(read_byte(fd) == '\n');

    ps_exit end = {.size = sizeof end, .code = 1234};
    CHECK(ps_terminate(child, -1, &end, &error) == PS_ERR_TIMEOUT);
    CHECK(ps_error_status(error) == PS_ERR_TIMEOUT);
    ps_error_free(error);
    CHECK(end.code == 1234);
    CHECK(ps_live_count() == 1);
    CHECK(!is_dead(pid_of(child)));

    kill_and_free(child);
    CHECK(ps_live_count() == 0);
    close(fd);
    return 0;
}
