/* Eight million empty lines, and a host that sits in ps_reap of that very child: a line that waits costs the host about what it was in the pipe,
   so it lives within 400 MiB, and has lost none of them. */
/* covers: F3, LAW-17 */
/* timeout: 180 */
#include "outputs.h"
#include <sys/resource.h>

enum { BOUND_KIB = 32 * 1024, ALL = 8388608 };

int main(void)
{
    if (memory_counts()) {
        struct rlimit limit = {.rlim_cur = 400 << 20, .rlim_max = 400 << 20};
        CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    }
    ps_supervisor *supervisor = supervisor_new();
    char all[16];
    snprintf(all, sizeof all, "%d", repeats(ALL));
    ps_command *command = shell("yes '' | head -c \"$1\"", all);
    by_lines(command);
    warm_up();
    long before = rss_kib();
    ps_child *child = spawn_once(supervisor, command);
    CHECK_INT(reap(child).code, 0);
    long grown = rss_kib() - before;
    if (memory_counts() && grown > BOUND_KIB)
        harness_fail(__FILE__, __LINE__, "memory grew by %ld KiB", grown);
    take_event(supervisor, PS_EVENT_STARTED);
    for (int i = 0; i < repeats(ALL); i++) {
        ps_event event = take_event(supervisor, PS_EVENT_OUTPUT);
        CHECK(event.status == PS_OK && event.stream == 1);
    }
    take_event(supervisor, PS_EVENT_EXITED);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
