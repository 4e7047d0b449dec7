/* Replicas of which one cannot be had: those that had begun, or stood in line, are ended, and what the command owns is the command's again. */
/* variants: none */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    warm_up();
    ps_error *error = NULL;
    for (int line = 0; line < 2; line++) {
        int owned[2];
        ps_child *children[4] = {NULL};
        const char *dir = temp_dir();
        CHECK(pipe2(owned, O_CLOEXEC) == 0);
        ps_supervisor *supervisor = new_supervisor(line ? 1 : 2);
        CHECK_OK(ps_supervisor_set_max_pending(supervisor, line ? 2 : 1, &error), error);
        ps_command *command = pausing();
        CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
        CHECK_OK(ps_command_own_fd(command, owned[1], &error), error);
        CHECK_ERROR(ps_spawn_replicas(supervisor, command, 4, children, &error), PS_ERR_LIMIT, &error);
        ps_error_free(error);
        error = NULL;
        CHECK(has_no_child());
        CHECK(exists(dir));
        CHECK_INT(fcntl(owned[1], F_GETFD), FD_CLOEXEC);
        ps_supervisor_free(supervisor);
        CHECK(exists(dir));

        /* with room they have it, and the last of them takes it along */
        supervisor = new_supervisor(4);
        CHECK_OK(ps_spawn_replicas(supervisor, command, 4, children, &error), error);
        for (int i = 0; i < 4; i++) {
            CHECK(exists(dir));
            terminate(children[i], 0);
            ps_child_free(children[i]);
        }
        CHECK(!exists(dir));
        CHECK(fcntl(owned[1], F_GETFD) < 0);
        ps_supervisor_free(supervisor);
        ps_command_free(command);
        close(owned[0]);
    }
    return 0;
}
