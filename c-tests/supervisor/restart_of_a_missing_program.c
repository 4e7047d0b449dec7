/* A program that goes away between two runs: FAILED with the reason, then RESTARTING as after any failure, GAVE_UP in the end;
   ps_reap answers why it could not be started. If the program comes back, so does the child. */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    char dir[64], path[128];
    strcpy(dir, temp_dir());
    snprintf(path, sizeof path, "%s/program", dir);
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(0);
    write_file(path, "#!/bin/sh\nrm -f \"$0\"\nexit 3\n", 0700);
    ps_child *child = spawn_named(supervisor, giving_up_after(restarting(command_for(path, NULL), PS_RESTART_ON_FAILURE, 0, 0), 3), 1);
    expect(supervisor, PS_EVENT_STARTED, 1);
    CHECK_INT(expect(supervisor, PS_EVENT_EXITED, 1).exit.code, 3);
    expect(supervisor, PS_EVENT_RESTARTING, 1);
    CHECK_INT(expect(supervisor, PS_EVENT_FAILED, 1).status, PS_ERR_NOT_FOUND);
    ps_event again = expect(supervisor, PS_EVENT_RESTARTING, 1);
    CHECK(again.status == PS_ERR_NOT_FOUND && again.run == 1);
    CHECK_INT(expect(supervisor, PS_EVENT_FAILED, 1).status, PS_ERR_NOT_FOUND);
    CHECK_INT(expect(supervisor, PS_EVENT_GAVE_UP, 1).status, PS_ERR_NOT_FOUND);
    expect_nothing(supervisor);
    CHECK_ERROR(ps_reap(child, 0, NULL, &error), PS_ERR_NOT_FOUND, &error);
    CHECK_INT(ps_error_errno(error), ENOENT);
    ps_error_free(error);
    CHECK_COUNTS(supervisor, 0, 0, 0);
    ps_child_free(child);

    write_file(path, "#!/bin/sh\nrm -f \"$0\"\nexit 3\n", 0700);
    child = spawn_named(supervisor, giving_up_after(restarting(command_for(path, NULL), PS_RESTART_ON_FAILURE, 5, 5), 0), 2);
    static event_log log;
    take_until(supervisor, &log, PS_EVENT_FAILED, 2, 2);
    write_file(path, "#!/bin/sh\nexit 0\n", 0700);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
    unlink(path);
    rmdir(dir);
    ps_supervisor_free(supervisor);
    return 0;
}
