/* A spawn in line is what its command said when ps_spawn was called, however the command is changed meanwhile, and though it is
   freed. Those in line share one description, and one that is changed is another one from then on. */
/* variants: few */
#include "harness.h"
#include "supervising.h"

static char *said_by(ps_child *child)
{
    int fd = -1;
    CHECK(wait_until(state_of(child) != PS_STATE_PENDING, PATIENCE_MS));
    fd = pipe_end(child, 1);
    char *text = read_all(fd);
    close(fd);
    reap_and_free(child);
    return text;
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(1);
    ps_child *first = spawn_named(supervisor, pausing(), 1);
    ps_command *command = command_for("/bin/sh", "-c", "echo \"$A $B $* $(ulimit -n) $(pwd)\"", "sh", "one", NULL);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_env(command, "A", "1", &error), error);
    CHECK_OK(ps_command_env(command, "B", NULL, &error), error);
    CHECK_OK(ps_command_rlimit(command, 7, 50, 50, &error), error);
    CHECK_OK(ps_command_cwd(command, "/", &error), error);
    ps_child *waiting[4];
    waiting[0] = spawn(supervisor, command);
    waiting[1] = spawn(supervisor, command);
    /* every part of it, then freed */
    CHECK_OK(ps_command_arg(command, "two", &error), error);
    CHECK_OK(ps_command_env(command, "A", "2", &error), error);
    CHECK_OK(ps_command_env(command, "B", "b", &error), error);
    CHECK_OK(ps_command_rlimit(command, 7, 60, 60, &error), error);
    CHECK_OK(ps_command_cwd(command, "/usr", &error), error);
    waiting[2] = spawn(supervisor, command);
    CHECK_OK(ps_command_arg(command, "three", &error), error);
    waiting[3] = spawn(supervisor, command);
    /* a change that is refused, and one that nobody waits for */
    CHECK_STATUS(ps_command_rlimit(command, 99, 1, 1, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_OK(ps_command_stdio(command, 1, PS_STDIO_NULL, -1, &error), error);
    ps_command_free(command);
    for (int i = 0; i < 4; i++)
        CHECK_INT(state_of(waiting[i]), PS_STATE_PENDING);

    kill_and_free(first);
    static const char *const says[] = {"1  one 50 /\n", "1  one 50 /\n", "2 b one two 60 /usr\n", "2 b one two three 60 /usr\n"};
    for (int i = 0; i < 4; i++) {
        char *text = said_by(waiting[i]);
        CHECK_STR(text, says[i]);
        free(text);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
