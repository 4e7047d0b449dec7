/* An out parameter that the call is for must be there; one that is an extra may be NULL. A refused spawn starts nothing. */
#include "harness.h"
#include "children.h"

int main(void)
{
    CHECK_STATUS(ps_supervisor_new(NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_command *command = exiting("0");
    CHECK_STATUS(ps_spawn(NULL, command, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_spawn_once(NULL, "/tmp", "a", command, NULL, 0, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_parse("x", NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK(ps_live_count() == 0 && has_no_child());
    CHECK_STATUS(ps_run(command, PATIENCE_MS, 10, NULL, NULL, NULL), PS_OK); /* its end and what it says are extras */
    CHECK_STATUS(ps_run_checked(command, PATIENCE_MS, 10, NULL, NULL), PS_OK);
    ps_output *output = NULL;
    CHECK_STATUS(ps_run_checked(command, PATIENCE_MS, 10, &output, NULL), PS_OK);
    CHECK_STATUS(ps_output_lost(output, 1, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_output_free(output);

    ps_child *child = spawn_once(NULL, command);
    CHECK_STATUS(ps_child_pid(child, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_child_pidfd(child, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_child_state(child, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_child_stdio(child, 1, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_child_spawn_tier(child, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_wait_any(&child, 1, -1, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_wait_all(NULL, 1, -1, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_child_output_lost(child, 0, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_reap(child, PATIENCE_MS, NULL, NULL), PS_OK);
    CHECK_STATUS(ps_reap_nonblock(child, NULL, NULL), PS_OK);
    CHECK_STATUS(ps_terminate(child, 0, NULL, NULL), PS_OK);
    ps_child_free(child);

    ps_supervisor *supervisor = supervisor_new();
    CHECK_STATUS(ps_supervisor_fd(supervisor, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_supervisor_free(supervisor);

    CHECK_STATUS(ps_budget_new(0, 0, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_budget *budget = NULL;
    CHECK_STATUS(ps_budget_new(1, 0, &budget, NULL), PS_OK);
    CHECK_STATUS(ps_budget_begin(budget, "key", NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_budget_snapshot(budget, "key", NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    uint64_t permit = 0;
    CHECK_STATUS(ps_budget_begin(budget, "key", &permit, NULL), PS_OK); /* the refused one was no attempt */
    ps_budget_free(budget);

    char path[128];
    snprintf(path, sizeof path, "%s/lock", temp_dir());
    CHECK_STATUS(ps_spawn_lock_acquire(path, 0, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_spawn_lock_begin(path, 0, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK(access(path, F_OK) == -1); /* nothing was touched */
    ps_spawn_lock *lock = NULL;
    ps_spawn_lock_event event = {.size = sizeof event};
    CHECK_STATUS(ps_spawn_lock_begin(path, 0, &lock, NULL), PS_OK);
    CHECK_STATUS(ps_spawn_lock_fd(lock, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_spawn_lock_next_event(lock, 0, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_spawn_lock_next_event(lock, 0, &event, NULL), PS_OK); /* the refused call took none */
    ps_spawn_lock_release(lock);
    CHECK(unlink(path) == 0);
    *strrchr(path, '/') = 0;
    CHECK(rmdir(path) == 0);
    return 0;
}
