/* A child that is cancelled in line releases its directory, the descriptors it owned and the duplicates of those it was lent. */
/* covers: SC-7 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    warm_up();
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(1);
    fd_of(supervisor);
    ps_child *first = spawn_named(supervisor, pausing(), 1);
    expect(supervisor, PS_EVENT_STARTED, 1);
    leak_guard guard = leak_guard_begin();
    for (int round = 0; round < 3; round++) {
        int lent[2], owned[2];
        const char *dir = temp_dir();
        CHECK(pipe2(lent, O_CLOEXEC) == 0 && pipe2(owned, O_CLOEXEC) == 0);
        ps_command *command = name_it(pausing(), 2);
        CHECK_OK(ps_command_pass_fd(command, lent[1], 9, &error), error);
        CHECK_OK(ps_command_own_fd(command, owned[1], &error), error);
        CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
        set_stdio(command, 1, PS_STDIO_PIPE, -1);
        ps_child *child = spawn_once(supervisor, command);
        close(lent[1]);
        CHECK(exists(dir) && !readable(lent[0], 0) && !readable(owned[0], 0)); /* no end of file: somebody holds the other ends */
        if (round == 0) {
            cancel(child);
            expect(supervisor, PS_EVENT_CANCELLED, 2);
        } else if (round == 1) {
            CHECK_STATUS(ps_terminate(child, -1, NULL, NULL), PS_ERR_CANCELLED);
            expect(supervisor, PS_EVENT_CANCELLED, 2);
        } else {
            ps_supervisor_free(supervisor);
            CHECK_STATUS(ps_reap(child, -1, NULL, NULL), PS_ERR_SHUTDOWN);
        }
        CHECK(!exists(dir));
        CHECK_INT(read_byte(lent[0]), 0);
        CHECK_INT(read_byte(owned[0]), 0);
        close(lent[0]);
        close(owned[0]);
        ps_child_free(child);
        if (round < 2)
            leak_guard_end(&guard);
    }
    ps_child_free(first);
    return 0;
}
