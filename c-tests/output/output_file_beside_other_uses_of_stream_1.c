/* Stream 1 can go to one place only: a command that says two is refused, and the error names output_file. Capture and lines then have
   stream 2 alone. */
#include "outputs.h"

int main(void)
{
    const char *dir = new_dir();
    ps_error *error = NULL;
    static const int others[] = {PS_STDIO_NULL, PS_STDIO_PIPE, PS_STDIO_FD};
    for (int i = 0; i < 4; i++) {
        ps_command *command = shell("echo said", NULL);
        to_file(command, in_dir(dir, "out"), PS_OUTPUT_REFUSE);
        if (i < 3)
            set_stdio(command, 1, others[i], 2);
        else
            CHECK_OK(ps_command_pass_fd(command, 2, 1, &error), error);
        error = spawn_fails(command, PS_ERR_INVALID_ARGUMENT);
        CHECK_STR(ps_error_step(error), "output_file");
        ps_error_free(error);
        error = NULL;
        ps_command_free(command);
        CHECK_INT(entries(dir), 0);
    }

    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = shell("echo out; echo err >&2", NULL);
    to_file(command, in_dir(dir, "out"), PS_OUTPUT_REFUSE);
    by_lines(command);
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    said all = listen_to(supervisor);
    CHECK(said_is(&all, 1, "", 0));
    CHECK(said_is(&all, 2, "err\n", 4));
    CHECK(content_is(in_dir(dir, "out"), "out\n"));
    char kept[100];
    size_t length = 0;
    CHECK_OK(ps_child_output(child, kept, sizeof kept, &length, &error), error);
    CHECK(length == 4 && memcmp(kept, "err\n", 4) == 0);
    said_free(&all);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    remove_dir(dir);
    return 0;
}
