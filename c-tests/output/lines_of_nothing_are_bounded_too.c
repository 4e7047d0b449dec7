/* A flood of empty lines costs a host that is slow to take them no more than the same flood of bytes: what an event itself needs counts. */
/* variants: none: pipes are read the same way in each */
#include "outputs.h"

enum { TOTAL = 3000000, BOUND_KIB = 8192 };

int main(void)
{
    ps_error *error = NULL;
    int total = repeats(TOTAL);
    char *newlines = malloc(total);
    memset(newlines, '\n', total);
    ps_supervisor *supervisor = supervisor_new();
    ps_child *other = spawn_once(supervisor, pausing());
    ps_command *command = helper_command("echo_fd", "0", NULL);
    feed(command, newlines, total);
    free(newlines);
    by_lines(command);
    warm_up();
    long before = rss_kib();
    ps_child *child = spawn_once(supervisor, command);
    for (int i = 0; i < 20; i++)
        CHECK_STATUS(ps_reap(other, 10, NULL, NULL), PS_ERR_TIMEOUT); /* pumps */
    CHECK(wait_until(process_state(pid_of(child)) == 'S', 20000));
    long grown = rss_kib() - before;
    if (memory_counts() && grown > BOUND_KIB)
        harness_fail(__FILE__, __LINE__, "memory grew by %ld KiB", grown);
    size_t lines = 0;
    for (ps_event event = {.size = sizeof event}; event.kind != PS_EVENT_EXITED; lines += event.kind == PS_EVENT_OUTPUT)
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
    CHECK_INT(lines, total);
    ps_child_free(child);
    kill_and_free(other);
    ps_supervisor_free(supervisor);
    return 0;
}
