/* Numbers outside of what a parameter means: INVALID_ARGUMENT, at once. */
#include "harness.h"
#include "children.h"

#define REFUSED(call) CHECK_STATUS(call, PS_ERR_INVALID_ARGUMENT)

int main(void)
{
    ps_command *command = exiting("0");
    const int32_t bad[] = {-1, 99, INT32_MAX, INT32_MIN};
    for (int i = 0; i < 4; i++) {
        REFUSED(ps_command_env_base(command, bad[i], NULL));
        REFUSED(ps_command_stdio(command, bad[i], PS_STDIO_NULL, -1, NULL));
        REFUSED(ps_command_stdio(command, 1, bad[i], -1, NULL));
        REFUSED(ps_command_isolate(command, bad[i], NULL));
        REFUSED(ps_command_survivors(command, bad[i], NULL));
        REFUSED(ps_command_stop_scope(command, bad[i], NULL));
        REFUSED(ps_command_readiness(command, bad[i], NULL, 10, NULL));
        REFUSED(ps_command_notify_access(command, bad[i], NULL));
        REFUSED(ps_command_stop_step(command, bad[i], 10, NULL));
        REFUSED(ps_command_rlimit(command, bad[i], 0, 0, NULL));
        REFUSED(ps_command_nice(command, bad[i] == -1 ? -21 : bad[i], NULL));
    }
    REFUSED(ps_command_stdio(command, 3, PS_STDIO_NULL, -1, NULL));
    REFUSED(ps_command_stop_step(command, 0, 10, NULL));
    REFUSED(ps_command_stop_step(command, SIGTERM, -2, NULL));
    REFUSED(ps_command_deadline(command, INT64_MIN, NULL));
    REFUSED(ps_command_core_wait(command, -1, NULL));
    REFUSED(ps_command_watchdog(command, -1, NULL));
    REFUSED(ps_command_watchdog(command, INT64_MAX, NULL));
    REFUSED(ps_command_capture(command, 0, NULL));
    REFUSED(ps_command_capture(command, SIZE_MAX, NULL));
    REFUSED(ps_command_capture(command, (1u << 30) + 1, NULL));
    REFUSED(ps_command_capture_apart(command, 2, NULL));
    ps_exit exit = {.size = sizeof exit - 1};
    ps_output *output = NULL;
    uint64_t lost = 0;
    size_t needed = 0;
    REFUSED(ps_run(command, -2, 10, NULL, &output, NULL));
    REFUSED(ps_run(command, INT64_MIN, 10, NULL, &output, NULL));
    REFUSED(ps_run(command, 1000, (1u << 30) + 1, NULL, &output, NULL));
    REFUSED(ps_run(command, 1000, 10, &exit, &output, NULL));
    REFUSED(ps_run_checked(command, -2, 10, &output, NULL));
    REFUSED(ps_run_checked(command, 1000, SIZE_MAX, &output, NULL));
    CHECK(output == NULL && ps_live_count() == 0 && has_no_child());
    CHECK_STATUS(ps_run(command, PATIENCE_MS, 1u << 30, NULL, &output, NULL), PS_OK);
    for (int i = 0; i < 4; i++) {
        REFUSED(ps_output_data(output, bad[i], NULL, 0, &needed, NULL));
        REFUSED(ps_output_lost(output, bad[i], &lost, NULL));
    }
    REFUSED(ps_output_data(output, 0, NULL, 0, &needed, NULL));
    REFUSED(ps_output_lost(output, 3, &lost, NULL));
    ps_output_free(output);
    REFUSED(ps_command_input_stream(command, 0, NULL));
    REFUSED(ps_command_input_stream(command, (1u << 30) + 1, NULL));
    REFUSED(ps_command_input_stream(command, SIZE_MAX, NULL));
    for (int i = 0; i < 4; i++) {
        REFUSED(ps_command_pipe(command, 3, bad[i], NULL));
        if (bad[i] != 99)
            REFUSED(ps_command_pipe(command, bad[i], PS_PIPE_TO_CHILD, NULL));
    }
    REFUSED(ps_command_pipe(command, 1 << 20, PS_PIPE_TO_CHILD, NULL));
    REFUSED(ps_command_pipe(command, 0, PS_PIPE_FROM_CHILD, NULL));
    REFUSED(ps_command_pipe(command, 1, PS_PIPE_TO_CHILD, NULL));
    REFUSED(ps_command_pipe(command, 2, PS_PIPE_TO_CHILD, NULL));
    REFUSED(ps_command_pipe(command, 3, 0, NULL));
    REFUSED(ps_command_umask(command, 01000, NULL));
    REFUSED(ps_command_umask(command, UINT32_MAX, NULL));
    REFUSED(ps_command_credentials(command, 1, 1, NULL, 1, NULL));
    REFUSED(ps_command_credentials(command, UINT32_MAX, 1, NULL, 0, NULL)); /* (uid_t)-1 means "leave it" to the kernel */
    REFUSED(ps_command_credentials(command, 1, UINT32_MAX, NULL, 0, NULL));
    REFUSED(ps_command_user(command, UINT32_MAX, NULL));
    REFUSED(ps_command_group(command, UINT32_MAX, NULL));
    REFUSED(ps_command_groups(command, &(uint32_t){UINT32_MAX}, 1, NULL));
    REFUSED(ps_command_groups(command, NULL, 1, NULL));
    REFUSED(ps_command_keep_groups(command, 2, NULL));
    REFUSED(ps_command_chdir_first(command, -1, NULL));

    ps_supervisor *supervisor = supervisor_new();
    ps_event event = {.size = sizeof event};
    REFUSED(ps_supervisor_next_event(supervisor, -2, &event, NULL));
    REFUSED(ps_supervisor_next_event(supervisor, 0, NULL, NULL));
    REFUSED(ps_supervisor_set_hold_processor(supervisor, 2, NULL));
    REFUSED(ps_supervisor_set_hold_processor(supervisor, -1, NULL));
    ps_supervisor_free(supervisor);

    ps_budget *budget = NULL;
    uint64_t permit = 0;
    REFUSED(ps_budget_new(1, -1, &budget, NULL));
    REFUSED(ps_budget_new(1, INT64_MIN, &budget, NULL));
    CHECK_STATUS(ps_budget_new(1, 0, &budget, NULL), PS_OK);
    REFUSED(ps_budget_set_lease(budget, -2, NULL));
    REFUSED(ps_budget_set_healthy(budget, -1, NULL));
    CHECK_STATUS(ps_budget_begin(budget, "key", &permit, NULL), PS_OK);
    REFUSED(ps_budget_finish(budget, permit, 2, NULL));
    REFUSED(ps_budget_finish(budget, permit, -1, NULL));
    CHECK_STATUS(ps_budget_finish(budget, permit, 1, NULL), PS_OK);
    ps_budget_free(budget);

    ps_spawn_lock *lock = NULL;
    REFUSED(ps_spawn_lock_acquire("/nonexistent/lock", -2, &lock, NULL));
    REFUSED(ps_spawn_lock_begin("/nonexistent/lock", INT64_MIN, &lock, NULL));
    CHECK(lock == NULL);

    ps_child *child = spawn(NULL, command);
    int32_t number;
    REFUSED(ps_reap(child, -2, NULL, NULL));
    REFUSED(ps_wait_ready(child, -2, NULL));
    REFUSED(ps_signal_process(child, 65, NULL));
    size_t index = 99;
    REFUSED(ps_wait_any(&child, 1, -2, &index, NULL));
    REFUSED(ps_wait_any(&child, 0, -1, &index, NULL));
    REFUSED(ps_wait_all(&child, 1, -2, NULL));
    REFUSED(ps_wait_all(&child, 0, -1, NULL));
    CHECK_INT(index, 99);
    REFUSED(ps_child_notified(child, NULL, NULL));
    REFUSED(ps_child_notified(child, &(ps_notified){.size = sizeof(ps_notified) - 1}, NULL));
    REFUSED(ps_terminate(child, -2, NULL, NULL));
    REFUSED(ps_terminate_begin(child, -2, NULL));
    REFUSED(ps_child_stdio(child, -1, &number, NULL));
    CHECK_STATUS(ps_child_stdio(child, 1, &number, NULL), PS_ERR_NOT_FOUND);
    REFUSED(ps_child_output_of(child, 0, NULL, 0, &needed, NULL));
    REFUSED(ps_child_output_of(child, 3, NULL, 0, &needed, NULL));
    REFUSED(ps_child_output_lost(child, -1, &lost, NULL));
    CHECK_STATUS(ps_child_stdio(child, 3, &number, NULL), PS_ERR_NOT_FOUND);
    REFUSED(ps_kill_and_reap_all(-2, NULL));
    reap_and_free(child);
    ps_command_free(command);
    return 0;
}
