/* Freed while other threads spawn into it, take its events, reap and stop its children. All of them get an answer: their own, or
   SHUTDOWN, or BAD_HANDLE; nothing is left. */
/* covers: SC-9 */
/* timeout: 120 */
#include "harness.h"
#include "supervising.h"

enum { ROUNDS = 60, SPAWNERS = 2, TAKERS = 2 };

static ps_supervisor *supervisor;
static int spawned;

static bool is_over(ps_status status)
{
    return status == PS_ERR_SHUTDOWN || status == PS_ERR_BAD_HANDLE;
}

static void *spawn_and_wait(void *which)
{
    for (unsigned i = 0;; i++) {
        ps_command *command = i % 3 == 0 ? pausing() : exiting("0");
        if (i % 4 == 1)
            restarting(command, PS_RESTART_ALWAYS, 0, 1);
        ps_child *child = NULL;
        ps_error *error = NULL;
        ps_status status = ps_spawn(supervisor, command, &child, &error);
        ps_command_free(command);
        ps_error_free(error);
        if (status != PS_OK) {
            CHECK(is_over(status));
            return NULL;
        }
        __atomic_add_fetch(&spawned, 1, __ATOMIC_RELEASE);
        ps_exit end = {.size = sizeof end};
        if (which && i % 3 == 0) {
            status = ps_terminate(child, i % 2 ? 0 : -1, &end, NULL);
            CHECK(status == PS_OK || status == PS_ERR_SHUTDOWN || status == PS_ERR_CANCELLED);
        } else if (i % 3 == 2) {
            status = ps_reap(child, i % 4 == 1 ? 1 : -1, &end, NULL); /* for ever: only for those that end */
            CHECK(status == PS_OK || status == PS_ERR_SHUTDOWN || (status == PS_ERR_TIMEOUT && i % 4 == 1));
        }
        ps_child_free(child);
    }
}

static void *take_events(void *unused)
{
    ps_status status;
    ps_event event = {.size = sizeof event};
    while ((status = ps_supervisor_next_event(supervisor, -1, &event, NULL)) == PS_OK)
        ;
    CHECK(is_over(status));
    return unused;
}

int main(void)
{
    warm_up();
    pthread_t spawners[SPAWNERS], takers[TAKERS];
    for (int round = 0; round < repeats(ROUNDS); round++) {
        leak_guard guard = leak_guard_begin();
        spawned = 0;
        supervisor = new_supervisor(round % 3 ? 3 : 0);
        for (int i = 0; i < SPAWNERS; i++)
            thread_start(&spawners[i], spawn_and_wait, (void *)(intptr_t)i);
        for (int i = 0; i < TAKERS; i++)
            thread_start(&takers[i], take_events, NULL);
        CHECK(wait_until(__atomic_load_n(&spawned, __ATOMIC_ACQUIRE) > round % 10, 20000));
        ps_supervisor_free(supervisor);
        for (int i = 0; i < SPAWNERS; i++)
            pthread_join(spawners[i], NULL);
        for (int i = 0; i < TAKERS; i++)
            pthread_join(takers[i], NULL);
        CHECK_INT(ps_live_count(), 0);
        CHECK(has_no_child());
        leak_guard_end(&guard);
    }
    return 0;
}
