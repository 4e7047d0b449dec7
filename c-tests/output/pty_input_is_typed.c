/* Input is typed at the terminal, and its end is ^D: behind a line once, in the middle of one twice. */
/* variants: none */
#include "terminals.h"

static ps_command *captured_cat(const char *script)
{
    ps_error *error = NULL;
    ps_command *command = on_terminal(shell(script, NULL));
    CHECK_OK(ps_command_capture(command, 1 << 20, &error), error);
    return command;
}

static void must_say(ps_child *child, const char *expected)
{
    static char text[1 << 20];
    size_t length = 0;
    ps_error *error = NULL;
    must_end(child, 0);
    CHECK_OK(ps_child_output(child, text, sizeof text - 1, &length, &error), error);
    text[length] = 0;
    CHECK_STR(text, expected);
    ps_child_free(child);
}

static void given(const char *bytes, const char *expected)
{
    ps_error *error = NULL;
    ps_command *command = captured_cat("stty -echo; printf '[%s]' \"$(cat)\"");
    CHECK_OK(ps_command_input(command, bytes, strlen(bytes), &error), error);
    ps_child *child = spawn_once(NULL, command);
    size_t written = 0;
    ps_status status = ps_child_write(child, "x", 1, &written, NULL);
    CHECK(status == PS_ERR_STATE || status == PS_ERR_EXITED);
    must_end(child, 0);
    char text[256];
    size_t length = 0;
    CHECK_OK(ps_child_output(child, text, sizeof text - 1, &length, &error), error);
    text[length] = 0;
    /* What was typed before the echo was turned off is on the screen, too. */
    CHECK(length >= strlen(expected));
    CHECK_STR(text + length - strlen(expected), expected);
    ps_child_free(child);
}

/* More than any terminal takes at once. */
static void much(void)
{
    enum { LINES = 3000 };
    static char bytes[LINES * 40 + 1], text[64];
    ps_error *error = NULL;
    size_t at = 0, length = 0;
    for (int line = 0; line < LINES; line++)
        at += (size_t)sprintf(bytes + at, "%038d\n", line);
    ps_command *command = shell("cat | md5sum", NULL);
    set_stdio(command, 0, PS_STDIO_PTY, -1);
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    CHECK_OK(ps_command_input(command, bytes, at, &error), error);
    ps_child *child = spawn_once(NULL, command);
    /* Who had it could let a write block. */
    int32_t fd = -1;
    CHECK_STATUS(ps_child_pty(child, &fd, NULL), PS_ERR_NOT_FOUND);
    ps_command *same = shell("md5sum", NULL);
    CHECK_OK(ps_command_input(same, bytes, at, &error), error);
    CHECK_OK(ps_command_capture(same, 100, &error), error);
    ps_child *plain = spawn_once(NULL, same);
    must_end(plain, 0);
    CHECK_OK(ps_child_output(plain, text, sizeof text - 1, &length, &error), error);
    text[length] = 0;
    ps_child_free(plain);
    must_say(child, text);
}

static void fed_by_hand(const char *typed, const char *expected)
{
    ps_error *error = NULL;
    size_t written = 0;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = captured_cat("cat >/dev/null; echo over");
    CHECK_OK(ps_command_input_stream(command, 1000, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    CHECK_OK(ps_child_write(child, typed, strlen(typed), &written, &error), error);
    CHECK_INT(written, strlen(typed));
    CHECK_OK(ps_child_write_end(child, &error), error);
    CHECK_OK(ps_child_write_end(child, &error), error);
    must_say(child, expected);
    ps_supervisor_free(supervisor);
}

static void run(void)
{
    ps_error *error = NULL;
    ps_output *output = NULL;
    ps_exit end = {.size = sizeof end};
    char text[64];
    size_t length = 0;
    ps_command *command = on_terminal(shell("read a; tty >/dev/null && echo \"got $a\"", NULL));
    CHECK_ERROR(ps_run(command, PATIENCE_MS, 1000, &end, &output, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_STR(ps_error_step(error), "stdio");
    ps_error_free(error);
    CHECK_OK(ps_command_input(command, "it\n", 3, NULL), NULL);
    CHECK_OK(ps_run_checked(command, PATIENCE_MS, 1000, &output, &error), error);
    CHECK_OK(ps_output_data(output, 1, text, sizeof text - 1, &length, &error), error);
    text[length] = 0;
    CHECK_STR(text, "it\r\ngot it\r\n");
    ps_output_free(output);
    ps_command_free(command);
}

int main(void)
{
    warm_up();
    leak_guard guard = leak_guard_begin();
    given("one\ntwo\n", "[one\r\ntwo]");
    given("no newline", "[no newline]");
    given("", "[]");
    much();
    fed_by_hand("a\n", "a\r\nover\r\n");
    fed_by_hand("ab", "abover\r\n");
    run();
    leak_guard_end(&guard);
    return 0;
}
