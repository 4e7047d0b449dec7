/* What a child writes to its terminal is captured, or told line by line, to the last byte; also where a grandchild has the terminal for longer. */
/* variants: few */
#include "terminals.h"

/* seq writes "1\r\n" to "20000\r\n" there. */
enum { NUMBERS = 20000, BYTES = 9 * 3 + 90 * 4 + 900 * 5 + 9000 * 6 + 10001 * 7 };

static void captured_whole(void)
{
    static char text[BYTES + 1];
    ps_error *error = NULL;
    size_t length = 0;
    uint64_t lost = 1;
    ps_command *command = on_terminal(command_for("seq", "20000", NULL));
    CHECK_OK(ps_command_capture(command, BYTES, &error), error);
    for (int round = 0; round < 3; round++) {
        int32_t fd = -1, before = count_fds();
        ps_child *child = spawn(NULL, command);
        CHECK_STATUS(ps_child_pty(child, &fd, NULL), PS_ERR_NOT_FOUND);
        must_end(child, 0);
        CHECK_INT(count_fds(), before); /* though the handle is there yet */
        CHECK_OK(ps_child_output(child, text, sizeof text, &length, &error), error);
        CHECK_OK(ps_child_output_lost(child, 0, &lost, &error), error);
        CHECK_INT(length, BYTES);
        CHECK_INT(lost, 0);
        CHECK(memcmp(text, "1\r\n2\r\n", 6) == 0 && memcmp(text + BYTES - 9, "\r\n20000\r\n", 9) == 0);
        ps_child_free(child);
    }
    ps_command_free(command);
}

static void told_by_lines(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = shell("echo one; echo two >&2; printf three", NULL);
    const char *expected[] = {"one\r", "two\r", "three"};
    set_stdio(command, 1, PS_STDIO_PTY, -1);
    set_stdio(command, 2, PS_STDIO_PTY, -1);
    CHECK_OK(ps_command_output_lines(command, 1, &error), error);
    ps_child_free(spawn_once(supervisor, command));
    size_t lines = 0;
    for (ps_event event = {.size = sizeof event}; event.kind != PS_EVENT_EXITED;) {
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        if (event.kind != PS_EVENT_OUTPUT)
            continue;
        char line[16] = "";
        size_t length = 0;
        CHECK_OK(ps_event_data(supervisor, line, sizeof line - 1, &length, &error), error);
        line[length] = 0;
        CHECK(lines < 3);
        CHECK_STR(line, expected[lines++]);
        CHECK_INT(event.stream, 1);
    }
    CHECK_INT(lines, 3);
    ps_supervisor_free(supervisor);
}

/* Stream 2 is a pipe of its own, and kept apart. */
static void apart(void)
{
    char text[32];
    size_t length = 0;
    ps_error *error = NULL;
    ps_command *command = shell("echo out; echo err >&2", NULL);
    set_stdio(command, 1, PS_STDIO_PTY, -1);
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    CHECK_OK(ps_command_capture_apart(command, 1, &error), error);
    ps_child *child = spawn_once(NULL, command);
    must_end(child, 0);
    CHECK_OK(ps_child_output_of(child, 1, text, sizeof text, &length, &error), error);
    CHECK(length == 5 && memcmp(text, "out\r\n", 5) == 0);
    CHECK_OK(ps_child_output_of(child, 2, text, sizeof text, &length, &error), error);
    CHECK(length == 4 && memcmp(text, "err\n", 4) == 0);
    ps_child_free(child);
}

static void grandchild_has_it(void)
{
    char text[32];
    size_t length = 0;
    ps_error *error = NULL;
    int32_t pid = 0;
    ps_command *command = on_terminal(command_for("/bin/sh", "-c", "trap '' HUP; setsid sleep 1000 & printf said", NULL));
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    int64_t begun = now_ms();
    ps_child *child = spawn_once(NULL, command);
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    must_end(child, 0);
    CHECK(now_ms() - begun < 900 * slowness());
    CHECK_OK(ps_child_output(child, text, sizeof text, &length, &error), error);
    CHECK(length == 4 && memcmp(text, "said", 4) == 0);
    ps_child_free(child);
}

int main(void)
{
    warm_up();
    leak_guard guard = leak_guard_begin();
    captured_whole();
    told_by_lines();
    apart();
    leak_guard_end(&guard);
    grandchild_has_it();
    return 0;
}
