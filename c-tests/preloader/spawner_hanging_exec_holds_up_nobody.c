/* While one exec hangs, ps_spawn returns, other programs run, the one that hangs is pending, and can be stopped; or goes on when it may. */
/* covers: C15-5, P12 */
/* as-root */
/* timeout: 120 */
/* variants: few */
#include "harness.h"
#include "spawning.h"

int main(void)
{
    ps_error *error = NULL;
    ps_exit end;
    held_exec held;
    warm_up();
    ps_supervisor *supervisor = spawner_supervisor();
    held_exec_begin(&held, "exit_with");
    ps_command *hangs = command_for(held.path, "5", NULL), *other = exiting("4");

    ps_child *child = spawn(supervisor, hangs);
    held_exec_await(&held);
    CHECK_INT(state_of(child), PS_STATE_PENDING);
    CHECK_STATUS(ps_reap(child, 0, NULL, NULL), PS_ERR_TIMEOUT);
    for (int i = 0; i < 5; i++) {
        ps_child *beside = spawn(supervisor, other);
        await_end(beside, PS_OK, &end);
        CHECK_INT(end.code, 4);
        ps_child_free(beside);
    }
    CHECK_INT(state_of(child), PS_STATE_PENDING);
    held_exec_let_go(&held);
    await_end(child, PS_OK, &end);
    CHECK_INT(end.code, 5);
    ps_child_free(child);

    /* Stopped meanwhile: nothing is left of it. */
    child = spawn(supervisor, hangs);
    held_exec_await(&held);
    CHECK_STATUS(ps_terminate(child, 0, NULL, NULL), PS_ERR_CANCELLED);
    CHECK_INT(state_of(child), PS_STATE_CANCELLED);
    ps_child_free(child);
    ps_event event = {.size = sizeof event};
    CHECK(wait_until((ps_supervisor_next_event(supervisor, 0, &event, NULL), only_the_spawner_is_left()), 20000));
    close(held.asked), held.asked = -1;

    /* Late: its readiness counts from the begin. */
    ps_command *late = command_for(held.path, "5", NULL);
    CHECK_OK(ps_command_readiness(late, PS_READY_EXEC, NULL, 100, &error), error);
    child = spawn(supervisor, late);
    held_exec_await(&held);
    CHECK_ERROR(ps_wait_ready(child, PATIENCE_MS, &error), PS_ERR_TIMEOUT, &error);
    CHECK_STR(ps_error_step(error), "exec");
    ps_error_free(error), error = NULL;
    ps_child_free(child);
    CHECK(wait_until((ps_supervisor_next_event(supervisor, 0, &event, NULL), only_the_spawner_is_left()), 20000));
    close(held.asked), held.asked = -1;
    ps_command_free(late);

    /* The supervisor goes while one hangs. */
    child = spawn(supervisor, hangs);
    held_exec_await(&held);
    ps_supervisor_free(supervisor);
    CHECK(has_no_child());
    CHECK_INT(ps_live_count(), 0);
    ps_child_free(child);
    close(held.asked), held.asked = -1;
    held_exec_end(&held);
    ps_command_free(hangs);
    ps_command_free(other);
    return 0;
}
