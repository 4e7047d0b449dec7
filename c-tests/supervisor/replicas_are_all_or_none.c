/* One that cannot be had: nobody is left, nothing was written, the error is that one's. Because the program is missing, because the
   line is full. */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    warm_up();
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(2);
    expect_nothing(supervisor);
    fd_of(supervisor);
    CHECK_OK(ps_supervisor_set_max_pending(supervisor, 2, &error), error);
    ps_child *child[5], *untouched = (ps_child *)(uintptr_t)0x5a5a;
    for (int i = 0; i < 5; i++)
        child[i] = untouched;
    ps_command *command = name_it(pausing(), 1), *missing = command_for("/nonexistent/program", NULL);
    static event_log log;
    for (int round = 0; round < 3; round++) {
        leak_guard guard = leak_guard_begin();
        CHECK_ERROR(ps_spawn_replicas(supervisor, command, 5, child, &error), PS_ERR_LIMIT, &error);
        ps_error_free(error);
        CHECK_ERROR(ps_spawn_replicas(supervisor, missing, 5, child, &error), PS_ERR_NOT_FOUND, &error);
        CHECK_STR(ps_error_step(error), "exec");
        ps_error_free(error);
        for (int i = 0; i < 5; i++)
            CHECK(child[i] == untouched);
        CHECK_COUNTS(supervisor, 0, 0, 0);
        CHECK(has_no_child());
        take_all(supervisor, &log);
        if (round > 0) /* the first one makes the timer */
            leak_guard_end(&guard);
    }
    CHECK_INT(logged(&log, PS_EVENT_STARTED, 1), logged(&log, PS_EVENT_EXITED, 1));
    CHECK_OK(ps_spawn_replicas(supervisor, command, 4, child, &error), error); /* as many as fit */
    CHECK_COUNTS(supervisor, 2, 2, 0);
    ps_supervisor_free(supervisor);
    for (int i = 0; i < 4; i++)
        ps_child_free(child[i]);
    ps_command_free(command);
    ps_command_free(missing);
    return 0;
}
