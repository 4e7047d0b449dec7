/* The counts agree with the events after each step of a long random walk: spawn, end, stop, cancel, change of the limit. */
/* covers: SC-4, SC-17 */
#include "harness.h"
#include "supervising.h"

enum { STEPS = 400, MOST = 40 };

static ps_supervisor *supervisor;
static ps_child *children[MOST];
static event_log events;
static unsigned seed;

static unsigned chance(unsigned below)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % below;
}

/* A look at a child does work, too: if one that is being stopped ends in between, the next is started, and we look again. */
static bool counts_agree(unsigned limit)
{
    counts seen = {0, 0, 0}, told = counts_of(supervisor), after;
    for (int i = 0; i < MOST; i++)
        if (children[i]) {
            int32_t state = state_of(children[i]);
            seen.pending += state == PS_STATE_PENDING;
            seen.running += state == PS_STATE_RUNNING;
            seen.stopping += state == PS_STATE_STOPPING;
        }
    after = counts_of(supervisor);
    CHECK(limit == 0 || told.pending == 0 || told.running + told.stopping >= limit);
    return memcmp(&told, &seen, sizeof told) == 0 && memcmp(&told, &after, sizeof told) == 0;
}

int main(void)
{
    for (seed = 1; seed < 4; seed++) {
        unsigned before = seed, limit = 3;
        supervisor = new_supervisor(limit);
        for (int step = 0; step < STEPS; step++) {
            unsigned i = chance(MOST);
            int32_t state = children[i] ? state_of(children[i]) : -1;
            if (!children[i]) {
                children[i] = spawn_named(supervisor, pausing(), i + 1);
            } else if (state == PS_STATE_EXITED || state == PS_STATE_CANCELLED) {
                ps_child_free(children[i]);
                children[i] = NULL;
            } else if (state == PS_STATE_RUNNING && chance(2)) {
                kill(pid_of(children[i]), SIGKILL);
                events.count = 0;
                take_until(supervisor, &events, PS_EVENT_EXITED, i + 1, 1);
            } else if (chance(2)) {
                cancel(children[i]);
            } else if (chance(4) == 0) {
                limit_running(supervisor, limit = chance(6));
            }
            events.count = 0;
            take_all(supervisor, &events);
            CHECK(wait_until(counts_agree(limit), 20000));
        }
        for (int i = 0; i < MOST; i++)
            if (children[i]) {
                cancel(children[i]);
                ps_status status = ps_reap(children[i], PATIENCE_MS, NULL, NULL);
                CHECK(status == PS_OK || status == PS_ERR_CANCELLED);
                ps_child_free(children[i]);
                children[i] = NULL;
            }
        CHECK_COUNTS(supervisor, 0, 0, 0);
        CHECK_STATUS(ps_supervisor_counts(supervisor, NULL, NULL, NULL, NULL), PS_OK);
        ps_supervisor_free(supervisor);
        seed = before;
    }
    return 0;
}
