/* While one thread waits in reap and another in next_event, every other call goes through: no lock is held in a wait. */
/* covers: LAW-4 */
#include "harness.h"
#include "children.h"

static ps_child *waited_for;
static ps_supervisor *supervisor;
static int entered;

static void *wait_in_reap(void *unused)
{
    __atomic_add_fetch(&entered, 1, __ATOMIC_RELEASE);
    CHECK(reap(waited_for).signal == SIGTERM);
    return unused;
}

static void *wait_in_next_event(void *unused)
{
    __atomic_add_fetch(&entered, 1, __ATOMIC_RELEASE);
    ps_event event = take_event(supervisor, PS_EVENT_EXITED);
    CHECK(event.exit.signal == SIGTERM);
    return unused;
}

int main(void)
{
    supervisor = supervisor_new();
    waited_for = spawn_once(supervisor, pausing());
    take_event(supervisor, PS_EVENT_STARTED);
    pthread_t one, two;
    thread_start(&one, wait_in_reap, NULL);
    thread_start(&two, wait_in_next_event, NULL);
    CHECK(wait_until(__atomic_load_n(&entered, __ATOMIC_ACQUIRE) == 2, 20000));

    ps_error *error = NULL;
    int64_t start = now_ns();
    for (int i = 0; i < 20; i++) {
        ps_child *other = spawn_once(NULL, pausing());
        CHECK(ps_live_count() == 2);
        CHECK(state_of(waited_for) == PS_STATE_RUNNING);
        CHECK_OK(ps_signal(waited_for, 0, &error), error);
        CHECK(ps_reap_nonblock(waited_for, NULL, &error) == PS_PENDING);
        CHECK(terminate(other, -1).signal == SIGTERM);
        ps_child_free(other);
    }
    CHECK(elapsed_ms(start) < PATIENCE_MS);
    CHECK_OK(ps_signal(waited_for, SIGTERM, &error), error);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    ps_child_free(waited_for);
    ps_supervisor_free(supervisor);
    return 0;
}
