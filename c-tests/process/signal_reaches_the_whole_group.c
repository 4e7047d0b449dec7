/* ps_signal goes to the child and to everything in its group. */
/* covers: EV-10, RP-33 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_command *command = shell("\"$1\" & echo $!; \"$1\" & echo $!; exec \"$1\"", helper_path("pause_forever"));
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int fd = pipe_end(child, 1);
    pid_t first = (pid_t)read_number(fd), second = (pid_t)read_number(fd);

    ps_error *error = NULL;
    CHECK_OK(ps_signal(child, SIGSTOP, &error), error);
    CHECK(wait_until(process_state(first) == 'T' && process_state(second) == 'T' && process_state(pid_of(child)) == 'T', 20000));

    CHECK_OK(ps_signal(child, SIGUSR1, &error), error);
    CHECK_OK(ps_signal(child, SIGCONT, &error), error);
    CHECK(reap(child).signal == SIGUSR1);
    CHECK(wait_until(is_dead(first) && is_dead(second), 20000));
    close(fd);
    ps_child_free(child);
    return 0;
}
