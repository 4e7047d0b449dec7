/* The waits of a crash loop: the first about the smallest, doubling up to the largest, each within a quarter of that, never out of
   the bounds; and not the same for all children. By the numbers in the events; what is waited is never less. */
#include "harness.h"
#include "supervising.h"

enum { CHILDREN = 12, RUNS = 6, MIN = 8, MAX = 60 };

int main(void)
{
    static event_log log;
    int64_t first[CHILDREN];
    ps_supervisor *supervisor = new_supervisor(0);
    ps_command *command = giving_up_after(restarting(exiting("1"), PS_RESTART_ON_FAILURE, MIN, MAX), RUNS);
    for (int i = 0; i < CHILDREN; i++)
        ps_child_free(spawn(supervisor, name_it(command, (uint64_t)i + 1)));
    ps_command_free(command);
    take_until(supervisor, &log, PS_EVENT_GAVE_UP, 0, CHILDREN);
    int different = 0;
    for (int i = 0; i < CHILDREN; i++) {
        int64_t base = MIN, ended_ns = 0, waited_ms = 0;
        int runs = 0;
        for (int k = 0; k < log.count; k++) {
            const ps_event *event = &log.events[k];
            if (event->user_data != (uint64_t)i + 1)
                continue;
            if (event->kind == PS_EVENT_STARTED && runs > 0)
                CHECK(event->time_ns - ended_ns >= (waited_ms - 1) * 1000000);
            if (event->kind == PS_EVENT_EXITED)
                ended_ns = event->time_ns;
            if (event->kind != PS_EVENT_RESTARTING)
                continue;
            waited_ms = event->delay_ms;
            CHECK(waited_ms >= MIN && waited_ms <= MAX);
            CHECK(waited_ms >= base - base / 4 - 1 && waited_ms <= base + base / 4 + 1);
            if (runs++ == 3)
                first[i] = waited_ms; /* about MAX: a wide spread */
            base = base * 2 < MAX ? base * 2 : MAX;
        }
        CHECK_INT(runs, RUNS - 1);
        different += first[i] != first[0];
    }
    CHECK(different > 0);
    ps_supervisor_free(supervisor);
    return 0;
}
