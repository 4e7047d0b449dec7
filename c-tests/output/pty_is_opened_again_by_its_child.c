/* A child that has closed all its streams may open its terminal again: what it says then is captured and told, and what was typed meanwhile is there. */
/* variants: none */
#include "terminals.h"

/* Says so much behind that; it waits meanwhile for the end of descriptor 9. */
#define SCRIPT "exec </dev/null >/dev/null 2>&1; read x <&9; read a </dev/tty; seq 3000 >/dev/tty; printf \"got $a\" >/dev/tty; sleep 1000"

static int gate[2];

static ps_command *away(void)
{
    ps_error *error = NULL;
    ps_command *command = on_terminal(shell(SCRIPT, NULL));
    CHECK(pipe2(gate, O_CLOEXEC) == 0);
    CHECK_OK(ps_command_pass_fd(command, gate[0], 9, &error), error);
    CHECK_OK(ps_command_input_stream(command, 100, &error), error);
    return command;
}

static bool has_closed_it(ps_child *child)
{
    char path[64], name[64] = "";
    int32_t pid = 0;
    CHECK_OK(ps_child_pid(child, &pid, NULL), NULL);
    snprintf(path, sizeof path, "/proc/%d/fd/2", pid);
    return readlink(path, name, sizeof name - 1) > 0 && strcmp(name, "/dev/null") == 0;
}

static void opens(ps_child *child)
{
    size_t written = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_child_write(child, "it\n", 3, &written, &error), error);
    CHECK_INT(written, 3);
    close(gate[0]);
    close(gate[1]);
}

static void captured(void)
{
    static char text[1 << 15];
    size_t length = 0;
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = away();
    CHECK_OK(ps_command_capture(command, sizeof text, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    int32_t fd = -1;
    CHECK_STATUS(ps_child_pty(child, &fd, NULL), PS_ERR_NOT_FOUND);
    CHECK(wait_until(has_closed_it(child), PATIENCE_MS));
    CHECK_OK(ps_child_output(child, text, sizeof text - 1, &length, &error), error);
    /* Nor is a look without end meanwhile. */
    CHECK_STATUS(ps_reap(child, 30, NULL, NULL), PS_ERR_TIMEOUT);
    opens(child);
    for (int64_t until = now_ms() + PATIENCE_MS; !strstr(text, "3000\r\ngot it");) {
        CHECK(now_ms() < until);
        CHECK_STATUS(ps_reap(child, 5, NULL, NULL), PS_ERR_TIMEOUT);
        CHECK_OK(ps_child_output(child, text, sizeof text - 1, &length, &error), error);
        text[length] = 0;
    }
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
}

static void told_in_pieces(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = away();
    CHECK_OK(ps_command_output_lines(command, 1, &error), error);
    CHECK_OK(ps_command_output_partial(command, 20, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    CHECK(wait_until(has_closed_it(child), PATIENCE_MS));
    ps_event event = {.size = sizeof event};
    CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
    CHECK_INT(event.kind, PS_EVENT_STARTED);
    CHECK_STATUS(ps_supervisor_next_event(supervisor, 30, &event, NULL), PS_PENDING);
    opens(child);
    char line[32] = "";
    for (size_t length = 0; strcmp(line, "got it") != 0; line[length] = 0) {
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        CHECK_INT(event.kind, PS_EVENT_OUTPUT); /* and no other */
        CHECK_OK(ps_event_data(supervisor, line, sizeof line - 1, &length, &error), error);
    }
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    warm_up();
    leak_guard guard = leak_guard_begin();
    captured();
    told_in_pieces();
    leak_guard_end(&guard);
    return 0;
}
