/* A child that makes its pipe larger, fills it and exits has lost nothing: the last drain reads as much as this pipe can hold. */
#include "outputs.h"

enum { SIZE = 1 << 20 };

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = helper_command("fill_pipe", "1048576", NULL);
    by_lines(command);
    CHECK_OK(ps_command_capture(command, SIZE, &error), error);
    for (int way = 0; way < 2; way++) {
        ps_child *child = spawn(supervisor, command);
        CHECK(wait_until(process_state(pid_of(child)) == 'Z', 20000)); /* nobody has read anything yet */
        if (way)
            reap(child);
        said all = listen_to(supervisor);
        if (all.exit.code == 77)
            SKIP("no pipe of 1 MiB is to be had");
        CHECK_INT(all.exit.code, 0);
        CHECK_INT(all.events[1], SIZE / 16);
        CHECK_INT(all.length[1], SIZE);
        size_t needed = 0;
        ps_child_output(child, NULL, 0, &needed, NULL);
        CHECK_INT(needed, SIZE);
        said_free(&all);
        ps_child_free(child);
    }
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    return 0;
}
