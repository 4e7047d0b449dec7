/*
 * Owner and successor die together: the supervisor starts the last one that has served again, with the listener that it holds. No connection is refused
 * meanwhile: they wait in its queue.
 */
/* covers: C16-1, L5, LAW-16 */
/* variants: few */
#include "supervised.h"

static const char *const steps[] = {"begun", "offered", "live"};

static ps_handoff_supervisor_event next_one(void)
{
    ps_handoff_supervisor_event event = {.size = sizeof event};
    do
        CHECK_STATUS(ps_handoff_supervisor_next_event(sup, IN_TIME, &event, NULL), PS_OK);
    while (event.kind == PROGRESS);
    return event;
}

int main(void)
{
    pid_t owner = scene_serving("");
    CHECK_STATUS(ps_handoff_supervisor_set_restart(sup, 100, 0, NULL), PS_OK);
    for (unsigned at = 0; at < sizeof steps / sizeof *steps; at++) {
        goes_on();
        pid_t new = successor_at(steps[at]);
        kill(new, SIGKILL);
        kill(owner, SIGKILL);
        int seen = 0; /* in either order */
        for (int i = 0; i < 2 && strcmp(steps[at], "live") != 0; i++) {
            ps_handoff_supervisor_event event = {.size = sizeof event};
            do
                CHECK_STATUS(ps_handoff_supervisor_next_event(sup, IN_TIME, &event, NULL), PS_OK);
            while (event.kind == PROGRESS);
            seen |= 1 << event.kind;
        }
        if (strcmp(steps[at], "live") != 0)
            CHECK_INT(seen, 1 << OWNER_ENDED | 1 << ABORTED);
        else
            expect(ABORTED);
        ps_handoff_supervisor_event begun = next_one();
        if (strcmp(steps[at], "live") == 0 && begun.kind == OWNER_ENDED) /* it had taken back before its own turn to be killed came */
            begun = next_one();
        CHECK_INT(begun.kind, STARTED);
        owner = begun.pid;
        CHECK_INT(expect(SERVING)->pid, owner);
        answered_by(owner);
    }
    scene_end();
    return 0;
}
