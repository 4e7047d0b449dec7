/* Everything goes on through the one descriptor: whoever polls it and takes one event each time it is readable hears of all. */
/* covers: SC-2 */
#include "harness.h"
#include "supervising.h"

enum { JOBS = 20 };

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(3);
    int fd = fd_of(supervisor), ended = 0;
    ps_child *jobs[JOBS];
    for (int i = 0; i < JOBS; i++)
        jobs[i] = spawn_named(supervisor, exiting("0"), (uint64_t)i + 1);
    for (int turns = 0; ended < JOBS; turns++) {
        ps_event event = {.size = sizeof event};
        CHECK(turns < 100 * JOBS && readable(fd, PATIENCE_MS));
        if (ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK)
            ended += event.kind == PS_EVENT_EXITED;
    }
    expect_nothing(supervisor);
    CHECK(!readable(fd, 0));
    for (int i = 0; i < JOBS; i++)
        ps_child_free(jobs[i]);
    ps_supervisor_free(supervisor);
    return 0;
}
