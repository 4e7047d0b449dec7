/* A child whose spawner has ended is no child that has begun: while its exec hangs it is pending, and what becomes of the exec is told. */
/* covers: C15-5, LAW-18, P12 */
/* as-root */
/* timeout: 120 */
/* variants: only tier-fork: where no pidfd can be opened, none is to be had of a child whose maker has ended */
#include "harness.h"
#include "spawning.h"

static ps_supervisor *supervisor;
static held_exec held;

/* Its exec hangs, and its spawner is gone. */
static ps_child *left_alone(ps_command *command)
{
    pid_t spawner = spawner_pid(); /* (a child that has not executed has the name of its maker) */
    ps_child *child = spawn(supervisor, command);
    held_exec_await(&held);
    CHECK(spawner != 0 && kill(spawner, SIGKILL) == 0);
    ps_event event = {.size = sizeof event};
    CHECK(wait_until((ps_supervisor_next_event(supervisor, 0, &event, NULL), process_state(spawner) == 0), 20000));
    for (int i = 0; i < 5; i++)
        CHECK_STATUS(ps_supervisor_next_event(supervisor, 20, &event, NULL), PS_PENDING);
    CHECK_INT(state_of(child), PS_STATE_PENDING);
    return child;
}

int main(void)
{
    ps_error *error = NULL;
    ps_exit end;
    warm_up();
    leak_guard guard = leak_guard_begin();
    supervisor = spawner_supervisor();
    held_exec_begin(&held, "exit_with");
    ps_command *command = command_for(held.path, "5", NULL);

    ps_child *child = left_alone(command);
    held_exec_let_go(&held);
    expect(supervisor, PS_EVENT_STARTED, 0);
    await_end(child, PS_OK, &end);
    CHECK_INT(end.code, 5);
    ps_child_free(child);

    CHECK_OK(ps_supervisor_set_spawner(supervisor, 0, &error), error);
    CHECK_OK(ps_supervisor_set_spawner(supervisor, 1, &error), error);
    child = left_alone(command);
    held_exec_refuse(&held);
    CHECK_ERROR(ps_reap(child, PATIENCE_MS, NULL, &error), PS_ERR_PERMISSION, &error);
    CHECK_STR(ps_error_step(error), "exec");
    ps_error_free(error), error = NULL;
    ps_child_free(child);

    /* Called off, and when the supervisor goes. */
    CHECK_OK(ps_supervisor_set_spawner(supervisor, 0, &error), error);
    CHECK_OK(ps_supervisor_set_spawner(supervisor, 1, &error), error);
    child = left_alone(command);
    CHECK_STATUS(ps_terminate(child, 0, NULL, NULL), PS_ERR_CANCELLED);
    ps_child_free(child);
    close(held.asked), held.asked = -1;
    CHECK_OK(ps_supervisor_set_spawner(supervisor, 0, &error), error);
    CHECK_OK(ps_supervisor_set_spawner(supervisor, 1, &error), error);
    child = left_alone(command);
    ps_supervisor_free(supervisor);
    CHECK(has_no_child());
    ps_child_free(child);
    close(held.asked), held.asked = -1;
    held_exec_end(&held);
    ps_command_free(command);
    leak_guard_end(&guard);
    return 0;
}
