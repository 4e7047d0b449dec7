/* Faults while a child gets a terminal, is typed at, resized, heard and ended: each call is refused or does what it says; nothing is left. */
/* variants: none */
/* share: 5 */
#include "scenario.h"

static void set(ps_command *command, int stream)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_stdio(command, stream, PS_STDIO_PTY, -1, &error), error);
}

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_command *command = NULL, *own = NULL;
    char text[64];
    size_t length = 0;
    CHECK_OK(ps_command_parse("sh -c 'read a; echo \"got $a\"'", &command, &error), error);
    for (int stream = 0; stream < 3; stream++)
        set(command, stream);
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    CHECK_OK(ps_command_input(command, "it\n", 3, &error), error);
    CHECK_OK(ps_command_parse("sh -c 'read a; exit 3'", &own, &error), error);
    set(own, 0);
    scenario_faults("ioctl ENOSPC EMFILE EINVAL ENOTTY EPERM EIO");
    scenario_faults("openat EMFILE ENOENT ENODEV ENOSPC EINTR");
    scenario_faults("fcntl EMFILE");

    scenario_begin(argc, argv);
    if (worked(ps_spawn(NULL, command, &child, &error), &error)) {
        worked(ps_child_resize(child, 11, 22, &error), &error);
        bool ended = worked(ps_reap(child, 20000, NULL, &error), &error);
        if (ended && worked(ps_child_output(child, text, sizeof text - 1, &length, &error), &error) && !scenario_injected("write", NULL) &&
            !scenario_injected("read", NULL)) {
            text[length] = 0;
            CHECK_STR(text, "it\r\ngot it\r\n");
        }
        if (!ended)
            worked(ps_terminate(child, 0, NULL, &error), &error);
        ps_child_free(child);
    }
    if (worked(ps_spawn(NULL, own, &child, &error), &error)) {
        int32_t fd = -1;
        if (worked(ps_child_pty(child, &fd, &error), &error)) {
            worked(ps_child_resize(child, 11, 22, &error), &error);
            while (write(fd, "x\n", 2) != 2)
                CHECK(scenario_injected("write", NULL));
            worked(ps_reap(child, 20000, NULL, &error), &error);
            close(fd);
        }
        worked(ps_terminate(child, 0, NULL, &error), &error);
        ps_child_free(child);
    }
    scenario_end();
    ps_command_free(command);
    ps_command_free(own);
    return 0;
}
