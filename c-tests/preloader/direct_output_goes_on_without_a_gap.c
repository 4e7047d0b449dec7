/* What a worker says comes as lines before it is ready and after, each once and whole: none is lost where the handshake ends, none is split where a
   read ends, and bytes are bytes. The same is kept for ps_child_output. */
/* covers: PA-55, PA-94, P-b5, P-b11, P-b20 */
#include "direct.h"

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    char go[96], await[128];
    snprintf(go, sizeof go, "%s.go", apps_dir());
    snprintf(await, sizeof await, "await=%s", go);
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = app("flood=300", "say=half", "listen", "properties", "finish", "say= a line\\nnul\\0 and \\xff\\n", await, "flood=300",
                              "say=no newline", "serve", NULL);
    CHECK_OK(ps_command_output_lines(command, 1, &error), error);
    ps_worker *worker = direct(supervisor, command);
    ps_child *child = child_of(worker);
    CHECK(close(open(go, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
    int lines = 0, last = 0, ready = 0;
    for (bool ended = false, closed = false; !ended;) {
        ps_event event = {.size = sizeof event};
        ps_status status = ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error);
        CHECK_OK(status, error);
        ready += event.kind == PS_EVENT_READY;
        ended = event.kind == PS_EVENT_EXITED;
        if (event.kind != PS_EVENT_OUTPUT)
            continue;
        char line[64], expected[64] = "no newline";
        size_t length = 0;
        CHECK_OK(ps_event_data(supervisor, line, sizeof line - 1, &length, &error), error);
        line[length] = 0;
        if (lines < 300)
            snprintf(expected, sizeof expected, "line %d", lines);
        else if (lines == 300)
            strcpy(expected, "half a line");
        else if (lines > 301 && lines < 602)
            snprintf(expected, sizeof expected, "line %d", lines - 302);
        if (lines == 301)
            CHECK(length == 10 && memcmp(line, "nul\0 and \xff", 10) == 0);
        else
            CHECK_STR(line, expected);
        last = event.status;
        if (++lines == 602 && !closed) {
            int32_t fd = -1;
            CHECK_OK(ps_worker_stdin(worker, &fd, &error), error);
            closed = close(fd) == 0;
        }
    }
    CHECK_INT(lines, 603);
    CHECK_INT(last, PS_PENDING); /* without a newline */
    CHECK_INT(ready, 1);
    size_t needed = 0;
    CHECK_OK(ps_child_output(child, NULL, 0, &needed, &error), error);
    CHECK(needed > 5000);
    ps_worker_free(worker);
    ps_child_free(child);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    unlink(go);
    NOTHING_IS_LEFT();
    return 0;
}
