/* Faults while children start whose commands own a directory and a descriptor: under a supervisor and with a deadline, with a restart policy, without a
   supervisor and with output to be read. Whatever a spawn fails of, also when its program has begun by then: it leaves nobody, and both are the
   command's again. */
/* variants: none */
/* share: 5 */
#include "scenario.h"
#include "children.h"

enum { KINDS = 3, FIRST_FD = 500 }; /* a number that nobody else gets meanwhile */

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_command *commands[KINDS];
    ps_child *children[KINDS] = {NULL};
    char dirs[KINDS][64];
    uint32_t given = 0;
    for (int i = 0; i < KINDS; i++) {
        commands[i] = helper_command("pause_forever", NULL);
        strcpy(dirs[i], temp_dir());
        CHECK_OK(ps_command_sandbox_dir(commands[i], dirs[i], &error), error);
        CHECK_INT(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FIRST_FD + i), FIRST_FD + i);
        CHECK_OK(ps_command_own_fd(commands[i], FIRST_FD + i, &error), error);
    }
    CHECK_OK(ps_command_deadline(commands[0], 600000, &error), error);
    CHECK_OK(ps_command_restart(commands[1], PS_RESTART_ALWAYS, 0, 0, &error), error);
    CHECK_OK(ps_command_capture(commands[2], 4096, &error), error);

    scenario_begin(argc, argv);
    bool made = worked(ps_supervisor_new(&supervisor, &error), &error);
    for (int i = 0; i < KINDS && made; i++) {
        if (worked(ps_spawn(i == 2 ? NULL : supervisor, commands[i], &children[i], &error), &error)) {
            given++;
            continue;
        }
        CHECK_INT(ps_live_count(), given);
        CHECK_INT(child_count(), given);
        CHECK(exists(dirs[i]));
        CHECK_INT(fcntl(FIRST_FD + i, F_GETFD), FD_CLOEXEC);
    }
    inject_end();
    for (int i = 0; i < KINDS; i++)
        if (children[i]) {
            if (i == 2) {
                kill_and_free(children[i]); /* without a timer, which would be kept */
            } else {
                CHECK_OK(ps_terminate(children[i], 0, NULL, &error), error);
                ps_child_free(children[i]);
            }
            CHECK(!exists(dirs[i]));
            CHECK(fcntl(FIRST_FD + i, F_GETFD) < 0);
        }
    ps_supervisor_free(supervisor);
    for (int i = 0; i < KINDS; i++) {
        ps_command_free(commands[i]);
        CHECK(rmdir(dirs[i]) == (children[i] ? -1 : 0));
        CHECK_INT(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FIRST_FD + i), FIRST_FD + i); /* as it was */
    }
    scenario_end();
    return 0;
}
