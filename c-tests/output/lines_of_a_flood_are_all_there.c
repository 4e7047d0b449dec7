/* Ten megabytes of lines to a host that takes its time: none is lost, memory stays bounded, and the child waits meanwhile. */
/* covers: P25 */
/* timeout: 180 */
#include "outputs.h"

enum { TOTAL = 10 * 1000 * 1000, BOUND_KIB = 12 * 1024 };

int main(void)
{
    char *stream = noise(TOTAL, 80);
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = helper_command("echo_fd", "0", NULL);
    feed(command, stream, TOTAL);
    by_lines(command);
    said all = {.over = false};
    all.cap[1] = TOTAL + 1;
    all.bytes[1] = malloc(TOTAL + 1);
    memset(all.bytes[1], 1, TOTAL + 1); /* resident before we look at what the library needs */
    warm_up();
    long before = rss_kib(), most = 0;

    ps_child *child = spawn_once(supervisor, command);
    for (size_t turn = 0; !all.over; turn++) {
        ps_event event = {.size = sizeof event};
        ps_error *error = NULL;
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        CHECK(said_note(&all, supervisor, &event));
        if (turn % 500 == 0) {
            long now = rss_kib() - before;
            most = now > most ? now : most;
            if (!all.over && turn % 5000 == 0)
                CHECK(wait_until(process_state(pid_of(child)) != 'R', 20000)); /* slow enough that it has to wait */
        }
    }
    if (memory_counts() && most > BOUND_KIB)
        harness_fail(__FILE__, __LINE__, "memory grew by %ld KiB", most);
    CHECK_INT(all.exit.code, 0);
    CHECK(said_is(&all, 1, stream, TOTAL));
    said_free(&all);
    free(stream);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
