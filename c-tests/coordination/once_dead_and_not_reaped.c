/* A daemon that has ended is dead also while its starter, which lives, has not reaped it: the next one who needs it starts it. */
/* covers: C13-6 */
#include "once.h"

static int start_and_wait(void *pipe_ends)
{
    const int *ends = pipe_ends;
    ps_error *error = NULL;
    ps_child *child = NULL;
    char byte;
    CHECK_OK(once_start(once_command(NULL), ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    CHECK_INT(write(ends[3], "r", 1), 1);
    CHECK_INT(read(ends[0], &byte, 1), 1);
    return 0;
}

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    pid_t pid = 0;
    char byte;
    int ends[4];
    once_begin();
    CHECK_INT(pipe(ends) | pipe(ends + 2), 0);
    pid_t starter = once_fork(start_and_wait, ends);
    /* Its starter has seen it ready as well: else this is an early death. */
    CHECK_INT(read(ends[2], &byte, 1), 1);
    CHECK(wait_until(once_running(&pid) == 1 && once_accepts(), 20000));
    kill(pid, SIGKILL);
    CHECK(wait_until(process_state(pid) == 'Z', 20000));
    ps_command *command = once_command(NULL);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    CHECK_INT(process_state(pid), 'Z');
    CHECK_INT(once_starts(), 2);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_INT(once_join(starter), 0);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    ps_command_free(command);
    for (int i = 0; i < 4; i++)
        close(ends[i]);
    once_end();
    return 0;
}
