/* Faults while a child gets its input from memory: the setter keeps what was there before or takes the new one, and a child that runs reads
   all of it. */
/* variants: none */
#include "outputs.h"
#include "scenario.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_exit ended = {.size = sizeof ended};
    char text[32];
    size_t needed = 0;
    ps_command *command = helper_command("echo_fd", "0", NULL);
    CHECK_OK(ps_command_capture(command, sizeof text, &error), error);
    feed(command, "old input", 9);
    scenario_faults("write ENOSPC EDQUOT EIO EAGAIN ENOMEM");
    scenario_faults("memfd_create ENOSPC EIO EINVAL");
    scenario_faults("openat ENOSPC EIO ENOENT");
    scenario_faults("fcntl EBUSY EPERM EINVAL EAGAIN");

    scenario_begin(argc, argv);
    bool taken = worked(ps_command_input(command, "new", 3, &error), &error);
    if (worked(ps_spawn(NULL, command, &child, &error), &error)) {
        if (worked(ps_reap(child, 20000, &ended, &error), &error) || worked(ps_reap(child, 20000, &ended, &error), &error)) {
            CHECK(ended.kind == PS_EXIT_EXITED && ended.code == 0);
            CHECK(worked(ps_child_output(child, text, sizeof text, &needed, &error), &error));
            CHECK_INT(needed, taken ? 3 : 9);
            CHECK(memcmp(text, taken ? "new" : "old input", needed) == 0);
        }
        ps_child_free(child);
    }
    scenario_end();
    ps_command_free(command);
    return 0;
}
