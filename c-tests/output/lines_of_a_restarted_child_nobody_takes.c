/* A child whose earlier run left more lines than are read ahead is started again and held back from its first byte on: a thread that
   waits for another child sleeps meanwhile, and later everything is there. */
#include "outputs.h"

enum { LINES = 250, LINE = 1000 }; /* more than is read ahead, less than that and a pipe: a run comes to its end */

int main(void)
{
    ps_error *error = NULL;
    static char text[LINES * LINE];
    const size_t length = sizeof text;
    memset(text, 'x', length);
    for (size_t i = 0; i < LINES; i++)
        text[i * LINE] = (char)('a' + i % 26), text[i * LINE + LINE - 1] = '\n';
    ps_supervisor *supervisor = supervisor_new();
    ps_child *other = spawn_once(supervisor, pausing());
    ps_command *command = helper_command("echo_fd", "0", NULL);
    feed(command, text, length);
    by_lines(command);
    CHECK_OK(ps_command_restart(command, PS_RESTART_ALWAYS, 1, 1, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    pid_t first = pid_of(child);
    CHECK(wait_until(ps_reap(other, 10, NULL, NULL) == PS_ERR_TIMEOUT && pid_of(child) != first, 20000));
    CHECK_STATUS(ps_reap(other, 50, NULL, NULL), PS_ERR_TIMEOUT);
    int64_t cpu = cpu_ms();
    CHECK_STATUS(ps_reap(other, 500, NULL, NULL), PS_ERR_TIMEOUT);
    cpu = cpu_ms() - cpu;
    if (memory_counts() && cpu > 200)
        harness_fail(__FILE__, __LINE__, "a wait of 500 ms took %lld ms of CPU", (long long)cpu);

    CHECK_OK(ps_terminate_begin(child, 0, &error), error);
    uint32_t run = 0;
    size_t at = 0;
    bool over = false;
    while (!over) {
        ps_event event = {.size = sizeof event};
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        if (event.child != child)
            continue;
        if (event.kind == PS_EVENT_STARTED) {
            CHECK_INT(event.run, ++run);
            at = 0;
        } else if (event.kind == PS_EVENT_OUTPUT) {
            CHECK_INT(event.run, run);
            size_t size = 0;
            char *bytes = event_bytes(supervisor, &size);
            CHECK(memcmp(bytes, text + at, size) == 0);
            at += size + 1;
            free(bytes);
        } else if (event.kind == PS_EVENT_EXITED) {
            over = event.exit.code != 0 || event.exit.cause == PS_CAUSE_STOP;
            CHECK(over || at == length);
        } else if (event.kind == PS_EVENT_CANCELLED)
            over = true;
    }
    ps_child_free(child);
    kill_and_free(other);
    ps_supervisor_free(supervisor);
    return 0;
}
