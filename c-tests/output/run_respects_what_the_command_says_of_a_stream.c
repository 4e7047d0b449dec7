/* A stream that the command sends elsewhere goes there, and nothing is kept of it. A pipe of stream 1 or 2 is read like any other; one
   as stream 0, which nobody could fill, is refused, as is what needs a supervisor. The command itself is not changed. */
/* variants: few */
#include "running.h"

static void check(ps_command *command, const char *out, const char *err)
{
    answer all = run_once(command, 100);
    CHECK_INT(all.exit.code, 0);
    CHECK_STR(all.bytes[1], out);
    CHECK_STR(all.bytes[2], err);
    forget(&all);
}

static ps_command *both(void) { return shell("echo out; echo err >&2", ""); }

static void refused(ps_command *command, const char *step)
{
    ps_error *error = run_fails(command, PATIENCE_MS, 100, PS_ERR_INVALID_ARGUMENT);
    CHECK_STR(ps_error_step(error), step);
    ps_error_free(error);
    ps_command_free(command);
}

int main(void)
{
    ps_error *error = NULL;
    int ends[2];
    char text[64], path[80];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    ps_command *command = both();
    set_stdio(command, 1, PS_STDIO_NULL, -1);
    check(command, "", "err\n");
    command = both();
    set_stdio(command, 2, PS_STDIO_FD, ends[1]);
    check(command, "out\n", "");
    CHECK(read_line(ends[0], text, sizeof text));
    CHECK_STR(text, "err");
    command = both();
    CHECK_OK(ps_command_pass_fd(command, ends[1], 1, &error), error);
    check(command, "", "err\n");
    CHECK(read_line(ends[0], text, sizeof text));
    CHECK_STR(text, "out");
    command = both();
    set_stdio(command, 2, PS_STDIO_MERGE, -1);
    check(command, "out\nerr\n", "");
    command = both();
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    set_stdio(command, 2, PS_STDIO_PIPE, -1);
    check(command, "out\n", "err\n");

    snprintf(path, sizeof path, "%s/file", temp_dir());
    command = both();
    CHECK_OK(ps_command_output_file(command, path, PS_OUTPUT_REFUSE, &error), error);
    ps_exit exit = {.size = sizeof exit};
    ps_output *output = NULL;
    CHECK_OK(ps_run(command, PATIENCE_MS, 100, &exit, &output, &error), error);
    answer all = listen_to_all(output);
    CHECK_STR(all.bytes[1], "");
    CHECK_STR(all.bytes[2], "err\n");
    forget(&all);
    CHECK(exists(path));
    /* one that is there already: the same error as of a spawn */
    ps_error_free(run_fails(command, PATIENCE_MS, 100, PS_ERR_OUTPUT_EXISTS));
    ps_command_free(command);
    CHECK(unlink(path) == 0);
    *strrchr(path, '/') = 0;
    CHECK(rmdir(path) == 0);

    /* whose bound it is, and which bytes, ps_run says */
    command = shell("echo 123456789", "");
    CHECK_OK(ps_command_capture(command, 3, &error), error);
    CHECK_OK(ps_run(command, PATIENCE_MS, 5, NULL, &output, &error), error);
    all = listen_to_all(output);
    CHECK_STR(all.bytes[1], "12345");
    forget(&all);
    ps_child *child = spawn_once(NULL, command);
    reap(child);
    size_t length = 0;
    CHECK_OK(ps_child_output(child, text, sizeof text, &length, &error), error);
    CHECK(length == 3 && memcmp(text, "89\n", 3) == 0);
    ps_child_free(child);

    command = both();
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    refused(command, "stdio");
    /* nobody would get their other ends */
    command = both();
    CHECK_OK(ps_command_pipe(command, 3, PS_PIPE_FROM_CHILD, &error), error);
    refused(command, "pipe");
    command = both();
    CHECK_OK(ps_command_input_stream(command, 100, &error), error);
    refused(command, "input_stream");
    command = both();
    CHECK_OK(ps_command_output_lines(command, 1, &error), error);
    refused(command, "output_lines");
    command = both();
    CHECK_OK(ps_command_restart(command, PS_RESTART_ALWAYS, 1, 1, &error), error);
    refused(command, "restart");
    command = both();
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_pass_fd(command, ends[1], 1, &error), error);
    refused(command, "pass_fd");
    return 0;
}
