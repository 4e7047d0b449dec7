/* ps_signal_process goes to the child and to nobody else of its group; an ended child answers as ps_signal does, and who is ended by it is so by its
   owner. */
/* variants: all */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_command *command = shell("\"$1\" & echo $!; exec \"$1\"", helper_path("pause_forever"));
    ps_error *error = NULL;
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int fd = pipe_end(child, 1);
    pid_t other = (pid_t)read_number(fd);

    CHECK_OK(ps_signal_process(child, 0, &error), error);
    CHECK_OK(ps_signal_process(child, SIGSTOP, &error), error);
    CHECK(wait_until(process_state(pid_of(child)) == 'T', 20000));
    CHECK(process_state(other) != 'T');
    CHECK_OK(ps_signal(child, SIGSTOP, &error), error); /* as a measure: the group gets it */
    CHECK(wait_until(process_state(other) == 'T', 20000));
    CHECK_OK(ps_signal_process(child, SIGCONT, &error), error);
    CHECK(wait_until(process_state(pid_of(child)) != 'T', 20000));
    CHECK_INT(process_state(other), 'T');

    CHECK_OK(ps_signal_process(child, SIGTERM, &error), error);
    ps_exit end = reap(child);
    CHECK_INT(end.signal, SIGTERM);
    CHECK_INT(end.cause, PS_CAUSE_OWNER);
    CHECK(wait_until(is_dead(other), 20000)); /* swept with its leader's end */
    CHECK_ERROR(ps_signal_process(child, SIGTERM, &error), PS_ERR_EXITED, &error);
    ps_error_free(error);
    CHECK_STATUS(ps_signal_process(child, 0, NULL), PS_ERR_EXITED);
    close(fd);
    ps_child_free(child);
    return 0;
}
