/* ps_run_checked: an exit with 0 is the output; any other end is an error that says how it ended, and has what was said. */
/* variants: few */
#include "running.h"

static void fails(ps_command *command, const char *message, const char *expected)
{
    ps_output *untouched = (ps_output *)(uintptr_t)0x5a5a, *output = untouched;
    ps_error *error = NULL;
    CHECK_ERROR(ps_run_checked(command, PATIENCE_MS, 100, &output, &error), PS_ERR_EXITED, &error);
    CHECK(output == untouched);
    CHECK_STR(ps_error_message(error), message);
    CHECK_STR(ps_error_step(error), "run");
    char *said = said_before(error), text[1024];
    CHECK_STR(said, expected);
    free(said);
    CHECK_STATUS(ps_error_render(error, PS_RENDER_TEXT, text, sizeof text, NULL), PS_OK);
    CHECK(strstr(text, "output") != NULL);
    ps_error_free(error);
    ps_command_free(command);
    CHECK(has_no_child());
}

int main(void)
{
    ps_output *output = NULL;
    ps_error *error = NULL;
    ps_command *command = shell("echo out; echo err >&2", "");
    CHECK_OK(ps_run_checked(command, PATIENCE_MS, 100, &output, &error), error);
    ps_command_free(command);
    answer all = listen_to_all(output);
    CHECK_STR(all.bytes[1], "out\n");
    CHECK_STR(all.bytes[2], "err\n");
    forget(&all);

    fails(shell("echo why >&2; echo out; exit 3", ""), "/bin/sh has failed: exit code 3", "out\nwhy\n");
    fails(shell("echo only >&2; exit 1", ""), "/bin/sh has failed: exit code 1", "only\n");
    fails(shell("echo out; kill -9 $$", ""), "/bin/sh has failed: signal 9 (SIGKILL)", "out\n");

    command = pausing();
    CHECK_ERROR(ps_run_checked(command, 20, 100, &output, &error), PS_ERR_TIMEOUT, &error);
    ps_error_free(error);
    ps_command_free(command);
    command = command_for("/no/such/program", NULL);
    CHECK_ERROR(ps_run_checked(command, 20, 100, &output, &error), PS_ERR_NOT_FOUND, &error);
    CHECK_STR(ps_error_step(error), "exec");
    ps_error_free(error);
    ps_command_free(command);
    return 0;
}
