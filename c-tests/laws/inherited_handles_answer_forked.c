/* In a forked copy of the host each inherited handle answers FORKED, and freeing it touches nothing. */
/* covers: LAW-6, EV-6 */
#include "harness.h"
#include "children.h"

static ps_supervisor *supervisor;
static ps_command *command;
static ps_child *child;

static void in_the_copy(void)
{
    ps_error *error = NULL;
    ps_exit end = {.size = sizeof end};
    ps_event event = {.size = sizeof event};
    ps_child *other = NULL;
    int32_t number = 0;
    CHECK(ps_signal(child, SIGKILL, &error) == PS_ERR_FORKED);
    CHECK(ps_error_status(error) == PS_ERR_FORKED);
    ps_error_free(error);
    CHECK(ps_terminate(child, 0, &end, NULL) == PS_ERR_FORKED);
    CHECK(ps_terminate_begin(child, 0, NULL) == PS_ERR_FORKED);
    CHECK(ps_reap(child, 0, &end, NULL) == PS_ERR_FORKED);
    CHECK(ps_reap_nonblock(child, &end, NULL) == PS_ERR_FORKED);
    CHECK(ps_child_pid(child, &number, NULL) == PS_ERR_FORKED);
    CHECK(ps_child_pidfd(child, &number, NULL) == PS_ERR_FORKED);
    CHECK(ps_child_state(child, &number, NULL) == PS_ERR_FORKED);
    CHECK(ps_child_stdio(child, 1, &number, NULL) == PS_ERR_FORKED);
    CHECK(ps_spawn(supervisor, command, &other, NULL) == PS_ERR_FORKED);
    CHECK(ps_spawn(NULL, command, &other, NULL) == PS_ERR_FORKED);
    CHECK(ps_command_arg(command, "x", NULL) == PS_ERR_FORKED);
    CHECK(ps_supervisor_fd(supervisor, &number, NULL) == PS_ERR_FORKED);
    CHECK(ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_ERR_FORKED);
    ps_child_free(child);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    supervisor = supervisor_new();
    command = pausing();
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    child = spawn(supervisor, command);
    in_forked_process(in_the_copy);

    CHECK(ps_live_count() == 1 && state_of(child) == PS_STATE_RUNNING);
    take_event(supervisor, PS_EVENT_STARTED);
    CHECK(terminate(child, -1).signal == SIGTERM);
    take_event(supervisor, PS_EVENT_EXITED);
    ps_child_free(child);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    return 0;
}
