/* ps_command_capture_apart: the last bytes of each stream by itself, and how many are missing of each; ps_child_output gives one behind the
   other. Without it a stream cannot be asked for. */
/* variants: few */
#include "harness.h"
#include "children.h"

static int output_of_stream(const ps_child *child, int stream, const char *expected)
{
    char text[200];
    size_t length = 0;
    ps_error *error = NULL;
    ps_status status = stream ? ps_child_output_of(child, stream, text, sizeof text - 1, &length, &error)
                              : ps_child_output(child, text, sizeof text - 1, &length, &error);
    CHECK_OK(status, error);
    text[length] = 0;
    return strcmp(text, expected) == 0;
}

static uint64_t lost(const ps_child *child, int stream)
{
    uint64_t bytes = 77;
    ps_error *error = NULL;
    CHECK_OK(ps_child_output_lost(child, stream, &bytes, &error), error);
    return bytes;
}

static void check(ps_supervisor *supervisor, size_t most)
{
    ps_error *error = NULL;
    ps_command *command = shell("echo 1; echo 22 >&2; echo 333; echo 4444 >&2", "");
    CHECK_OK(ps_command_capture_apart(command, 1, &error), error);
    CHECK_OK(ps_command_capture(command, most, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    reap(child);
    if (most == 100) {
        CHECK(output_of_stream(child, 1, "1\n333\n") && output_of_stream(child, 2, "22\n4444\n"));
        CHECK(output_of_stream(child, 0, "1\n333\n22\n4444\n"));
        CHECK(lost(child, 0) == 0 && lost(child, 1) == 0 && lost(child, 2) == 0);
    } else {
        CHECK(output_of_stream(child, 1, "1\n333\n") && output_of_stream(child, 2, "\n4444\n"));
        CHECK(output_of_stream(child, 0, "1\n333\n\n4444\n"));
        CHECK(lost(child, 0) == 2 && lost(child, 1) == 0 && lost(child, 2) == 2);
    }
    ps_child_free(child);
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    check(NULL, 100);
    check(NULL, 6);
    check(supervisor, 100);
    check(supervisor, 6);

    /* one of them elsewhere, or merged: the other is where it belongs */
    ps_command *command = shell("echo out; echo err >&2", "");
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    CHECK_OK(ps_command_capture_apart(command, 1, &error), error);
    set_stdio(command, 1, PS_STDIO_NULL, -1);
    ps_child *child = spawn(NULL, command);
    reap(child);
    CHECK(output_of_stream(child, 1, "") && output_of_stream(child, 2, "err\n"));
    ps_child_free(child);
    set_stdio(command, 1, PS_STDIO_INHERIT, -1);
    set_stdio(command, 2, PS_STDIO_MERGE, -1);
    child = spawn(NULL, command);
    reap(child);
    CHECK(output_of_stream(child, 1, "out\nerr\n") && output_of_stream(child, 2, ""));
    ps_child_free(child);

    /* lines as well */
    set_stdio(command, 2, PS_STDIO_INHERIT, -1);
    CHECK_OK(ps_command_output_lines(command, 1, &error), error);
    child = spawn(supervisor, command);
    reap(child);
    CHECK(output_of_stream(child, 1, "out\n") && output_of_stream(child, 2, "err\n"));
    ps_child_free(child);
    CHECK_OK(ps_command_output_lines(command, 0, &error), error);

    CHECK_OK(ps_command_capture_apart(command, 0, &error), error);
    child = spawn_once(NULL, command);
    reap(child);
    uint64_t bytes = 77;
    size_t needed = 77;
    CHECK_STATUS(ps_child_output_of(child, 1, NULL, 0, &needed, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_child_output_lost(child, 2, &bytes, NULL), PS_ERR_STATE);
    CHECK(bytes == 77 && needed == 77);
    CHECK_OK(ps_child_output_lost(child, 0, &bytes, &error), error);
    CHECK_INT(bytes, 0);
    ps_child_free(child);

    child = spawn_once(NULL, exiting("0"));
    CHECK_STATUS(ps_child_output_lost(child, 0, &bytes, NULL), PS_ERR_STATE);
    reap_and_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
