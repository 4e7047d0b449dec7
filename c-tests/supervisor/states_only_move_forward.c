/* Pending, running, stopping, exited: whoever looks, however often, never sees a child go back. */
/* covers: SC-6 */
#include "harness.h"
#include "supervising.h"

enum { JOBS = 60, WATCHERS = 3 };

static ps_child *jobs[JOBS];
static int over;

static int rank(int32_t state)
{
    CHECK(state >= PS_STATE_PENDING && state <= PS_STATE_CANCELLED);
    return state == PS_STATE_CANCELLED ? PS_STATE_EXITED : state;
}

static void *watch(void *unused)
{
    int32_t last[JOBS] = {0};
    for (bool more = true; more;) {
        more = !__atomic_load_n(&over, __ATOMIC_ACQUIRE);
        for (int i = 0; i < JOBS; i++) {
            int32_t now = state_of(jobs[i]);
            CHECK(rank(now) >= rank(last[i]));
            CHECK(rank(now) < PS_STATE_EXITED || rank(last[i]) < PS_STATE_EXITED || now == last[i]);
            last[i] = now;
        }
    }
    for (int i = 0; i < JOBS; i++)
        CHECK(rank(last[i]) == PS_STATE_EXITED);
    return unused;
}

int main(void)
{
    static event_log log;
    ps_supervisor *supervisor = new_supervisor(4);
    pthread_t watchers[WATCHERS];
    for (int i = 0; i < JOBS; i++)
        jobs[i] = spawn_named(supervisor, i % 3 ? pausing() : exiting("0"), (uint64_t)i + 1);
    for (int i = 0; i < WATCHERS; i++)
        thread_start(&watchers[i], watch, NULL);
    for (int i = JOBS - 1; i >= 0; i--) {
        CHECK_OK(ps_terminate_begin(jobs[i], i % 2 ? 0 : -1, NULL), NULL); /* those in line are cancelled */
        take_all(supervisor, &log);
    }
    take_until(supervisor, &log, PS_EVENT_EXITED, 0, JOBS - logged(&log, PS_EVENT_CANCELLED, 0));
    CHECK(logged(&log, PS_EVENT_CANCELLED, 0) > 0);
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < WATCHERS; i++)
        pthread_join(watchers[i], NULL);
    for (int i = 0; i < JOBS; i++)
        ps_child_free(jobs[i]);
    ps_supervisor_free(supervisor);
    return 0;
}
