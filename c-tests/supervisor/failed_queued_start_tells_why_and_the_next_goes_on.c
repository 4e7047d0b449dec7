/* A child in line whose program is gone when its turn comes: FAILED with the reason, the same from ps_reap with errno and step, and
   the next in line gets the slot. */
/* covers: SC-5 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    char program[128];
    snprintf(program, sizeof program, "%s/program", temp_dir());
    write_file(program, "#!/bin/sh\nexit 0\n", 0700);
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(1);
    gate gate = new_gate();
    ps_child *first = spawn_named(supervisor, at_gate(&gate), 1);
    ps_child *second = spawn_named(supervisor, command_for(program, NULL), 2);
    ps_child *third = spawn_named(supervisor, exiting("0"), 3);
    unlink(program);
    *strrchr(program, '/') = 0;
    rmdir(program);
    open_gate(&gate);

    expect(supervisor, PS_EVENT_STARTED, 1);
    expect(supervisor, PS_EVENT_EXITED, 1);
    ps_event failed = expect(supervisor, PS_EVENT_FAILED, 2);
    CHECK(failed.status == PS_ERR_NOT_FOUND && failed.child == second && failed.pid == 0 && failed.run == 0);
    expect(supervisor, PS_EVENT_STARTED, 3);
    expect(supervisor, PS_EVENT_EXITED, 3);
    expect_nothing(supervisor);

    for (int i = 0; i < 3; i++) {
        ps_exit end = {.size = sizeof end};
        ps_status status = i == 0 ? ps_reap(second, 0, &end, &error) : i == 1 ? ps_reap_nonblock(second, &end, &error)
                                                                              : ps_terminate(second, -1, &end, &error);
        CHECK_STATUS(status, PS_ERR_NOT_FOUND);
        CHECK(ps_error_errno(error) == ENOENT && end.kind == 0);
        CHECK_STR(ps_error_step(error), "exec");
        ps_error_free(error);
    }
    CHECK_INT(state_of(second), PS_STATE_CANCELLED);
    CHECK_COUNTS(supervisor, 0, 0, 0);
    ps_child_free(first);
    ps_child_free(second);
    ps_child_free(third);
    ps_supervisor_free(supervisor);
    return 0;
}
