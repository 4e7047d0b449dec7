/* as-root */
/* A child that has become root, and whose host is not, refuses its stop plan's signal; with PS_SCOPE_LEADER nobody else is asked, so the helper in its
   group lives on. What was refused is no cause of its end. */
/* variants: few */
#include "harness.h"
#include "children.h"
#include "refusing.h"

static void refuse(void)
{
    become_nobody();
    char line[16];
    ps_error *error = NULL;
    ps_command *command = command_for(refusing_path, "helper", NULL);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_stop_scope(command, PS_SCOPE_LEADER, &error), error);
    CHECK_OK(ps_command_survivors(command, PS_SURVIVORS_LEAVE, &error), error);
    ps_child *child = spawn_once(NULL, command);
    int said = pipe_end(child, 1), in = pipe_end(child, 0);
    pid_t helper = (pid_t)read_number(said);
    CHECK(read_line(said, line, sizeof line));
    close(said);
    if (strcmp(line, "root") != 0)
        SKIP("a set-user-ID program does not become root here");
    CHECK_STATUS(ps_signal_process(child, SIGTERM, NULL), PS_ERR_PERMISSION);
    CHECK_STATUS(ps_signal_process(child, 0, NULL), PS_ERR_PERMISSION);
    CHECK_STATUS(ps_terminate(child, 0, NULL, NULL), PS_ERR_PERMISSION);
    CHECK(!is_dead(helper));
    close(in);
    ps_exit end = reap(child);
    CHECK(end.kind == PS_EXIT_EXITED && end.code == 0);
    CHECK_INT(end.cause, PS_CAUSE_SELF);
    CHECK(!is_dead(helper));
    kill(helper, SIGKILL);
    ps_child_free(child);
}

int main(void)
{
    refusing_begin();
    in_forked_process(refuse);
    refusing_end();
    return 0;
}
