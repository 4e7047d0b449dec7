/* What a restarting child owns (directory, descriptors) and was lent is there in every run, and goes when it is over, not before. */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    warm_up();
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(0);
    expect_nothing(supervisor);
    for (int round = 0; round < 3; round++) { /* given up, terminated, freed */
        int lent[2], owned[2];
        char dir[64];
        strcpy(dir, temp_dir());
        CHECK(pipe2(lent, O_CLOEXEC) == 0 && pipe2(owned, O_CLOEXEC) == 0);
        ps_command *command = shell("echo x > \"$1/file\" && echo . >&9 && exit 1", dir);
        CHECK_OK(ps_command_restart(command, PS_RESTART_ON_FAILURE, 0, 0, &error), error);
        CHECK_OK(ps_command_restart_limit(command, round ? 0 : 3, 600000, &error), error);
        CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
        CHECK_OK(ps_command_own_fd(command, owned[1], &error), error);
        CHECK_OK(ps_command_pass_fd(command, lent[1], 9, &error), error);
        ps_child *child = spawn_named(supervisor, command, 1);
        close(lent[1]);
        static event_log log;
        log.count = 0;
        take_until(supervisor, &log, PS_EVENT_EXITED, 1, 3);
        for (int i = 0; i < log.count; i++)
            CHECK(log.events[i].kind != PS_EVENT_EXITED || log.events[i].exit.code == 1);
        if (round == 0)
            CHECK_INT(reap(child).code, 1);
        else if (round == 1)
            CHECK_STATUS(ps_terminate(child, 0, NULL, NULL), PS_OK);
        else
            ps_supervisor_free(supervisor);
        CHECK(!exists(dir));
        CHECK_INT(read_byte(owned[0]), 0);
        for (int i = 0; i < 3; i++)
            CHECK(read_byte(lent[0]) == '.' && read_byte(lent[0]) == '\n');
        close(owned[0]);
        close(lent[0]);
        ps_child_free(child);
    }
    return 0;
}
