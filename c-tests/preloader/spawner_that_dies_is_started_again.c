/* A spawner that is killed while births are under way: each of them is started or failed, typed, exactly once; it is started again once, and then
   spawns are refused until it is turned on anew. */
/* covers: C15-5, LAW-12 */
/* timeout: 120 */
/* variants: only tier-fork: where no pidfd can be opened, who was just made by one that dies cannot be kept */
#include "harness.h"
#include "spawning.h"

enum { BIRTHS = 40 };

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_supervisor *supervisor = spawner_supervisor();
    ps_command *command = exiting("3");
    pid_t first = spawner_pid();
    ps_child *children[BIRTHS];
    for (int i = 0; i < BIRTHS; i++) {
        children[i] = spawn(supervisor, command);
        if (i == BIRTHS / 2)
            CHECK(kill(first, SIGKILL) == 0);
    }
    int started = 0, exited = 0, failed = 0;
    while (exited + failed < BIRTHS) {
        ps_event event = {.size = sizeof event};
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        started += event.kind == PS_EVENT_STARTED;
        exited += event.kind == PS_EVENT_EXITED;
        failed += event.kind == PS_EVENT_FAILED;
        if (event.kind == PS_EVENT_EXITED && event.exit.code != 3) /* killed with its maker while it was made by a fork */
            CHECK_INT(event.exit.signal, SIGKILL);
    }
    CHECK_INT(started, exited);
    CHECK_INT(failed, 0); /* what was not made was asked for anew */
    for (int i = 0; i < BIRTHS; i++)
        ps_child_free(children[i]);
    pid_t second = spawner_pid();
    CHECK(second != 0 && second != first);

    /* One that hangs, with births that it was asked for, and then dies for the second time. */
    CHECK(kill(second, SIGSTOP) == 0);
    int64_t before = now_ms();
    for (int i = 0; i < BIRTHS; i++)
        children[i] = spawn(supervisor, command);
    CHECK(now_ms() - before < PATIENCE_MS);
    CHECK_INT(state_of(children[0]), PS_STATE_PENDING);
    CHECK(kill(second, SIGKILL) == 0);
    for (int i = 0; i < BIRTHS; i++) {
        ps_event event = expect(supervisor, PS_EVENT_FAILED, 0);
        CHECK_INT(event.status, PS_ERR_ABORTED);
    }
    for (int i = 0; i < BIRTHS; i++) {
        CHECK_STATUS(ps_reap(children[i], 0, NULL, NULL), PS_ERR_ABORTED);
        ps_child_free(children[i]);
    }
    ps_child *child = NULL;
    CHECK_ERROR(ps_spawn(supervisor, command, &child, &error), PS_ERR_ABORTED, &error);
    ps_error_free(error), error = NULL;
    CHECK_INT(ps_live_count(), 0);
    CHECK_OK(ps_supervisor_set_spawner(supervisor, 1, &error), error);
    child = spawn(supervisor, command);
    ps_exit end;
    await_end(child, PS_OK, &end);
    CHECK_INT(end.code, 3);
    ps_child_free(child);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    leak_guard_end(&guard);
    return 0;
}
