/* A thread waits for a child, and nobody takes its lines: it is read on, for both would wait for each other else. Sixteen MiB are kept; what is
   lost is told where it is missing, in lines and in bytes. What the child says after the host has taken those is there again. */
/* covers: F3 */
/* timeout: 180 */
#include "outputs.h"

enum { LINE = 1024, TOTAL = 40 << 20, KEPT = 16 << 20, BOUND_KIB = 32 * 1024 };

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = shell("yes \"$(printf %01023d 0)\" | head -c $1; echo done >&2; read line; echo \"and $line\"; exit 3", "41943040");
    by_lines(command);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 2, PS_STDIO_PIPE, -1);
    warm_up();
    long before = rss_kib();
    ps_child *child = spawn_once(supervisor, command);
    struct pollfd said = {.fd = pipe_end(child, 2), .events = POLLIN};
    while (poll(&said, 1, 0) == 0)
        CHECK_STATUS(ps_reap(child, 100, NULL, NULL), PS_ERR_TIMEOUT);
    CHECK_STATUS(ps_reap(child, 200, NULL, NULL), PS_ERR_TIMEOUT); /* all of it is out of the pipe */
    long grown = rss_kib() - before;
    if (memory_counts() && grown > BOUND_KIB)
        harness_fail(__FILE__, __LINE__, "memory grew by %ld KiB", grown);

    take_event(supervisor, PS_EVENT_STARTED);
    uint64_t lines = 0;
    ps_event event = {.size = sizeof event};
    for (;; lines++) {
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        if (event.kind != PS_EVENT_OUTPUT)
            break;
        CHECK_INT(event.status, PS_OK);
        CHECK(event.lost_lines == 0 && event.lost_bytes == 0);
    }
    CHECK(lines * LINE >= KEPT / 2 && lines * LINE <= KEPT + (4 << 20));
    CHECK_INT(event.kind, PS_EVENT_OUTPUT_LOST);
    CHECK(event.child == child && event.run == 1);
    CHECK_INT(event.lost_lines + lines, TOTAL / LINE);
    CHECK_INT(event.lost_bytes + lines * LINE, TOTAL);
    CHECK_STATUS(ps_supervisor_next_event(supervisor, 0, &event, NULL), PS_PENDING);

    int in = pipe_end(child, 0);
    CHECK(write(in, "more\n", 5) == 5);
    close(in);
    close(said.fd);
    EXPECT_LINE(supervisor, 1, "and more", PS_OK);
    CHECK_INT(take_event(supervisor, PS_EVENT_EXITED).exit.code, 3);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
