/* serial */
/* Four threads spawn into one supervisor, two take events out: every child gives its two events, to one of them, in order. */
/* covers: EV-21 */
#include "harness.h"
#include "children.h"

enum { SPAWNERS = 4, TAKERS = 2, EACH = 50 };

static ps_supervisor *supervisor;
static int started[SPAWNERS * EACH], ended[SPAWNERS * EACH], taken;
static ps_child *child[SPAWNERS * EACH];

static void *spawn_some(void *first)
{
    ps_error *error = NULL;
    for (int i = (int)(intptr_t)first; i < (int)(intptr_t)first + EACH; i++) {
        ps_command *command = exiting("0");
        CHECK_OK(ps_command_user_data(command, (uint64_t)i, &error), error);
        child[i] = spawn_once(supervisor, command);
    }
    return NULL;
}

static void *take_some(void *unused)
{
    while (__atomic_load_n(&taken, __ATOMIC_ACQUIRE) < 2 * SPAWNERS * EACH) {
        ps_event event = {.size = sizeof event};
        ps_status status = ps_supervisor_next_event(supervisor, 50, &event, NULL);
        if (status == PS_PENDING)
            continue;
        CHECK_STATUS(status, PS_OK);
        int *counter = event.kind == PS_EVENT_STARTED ? started : ended;
        CHECK(event.kind == PS_EVENT_STARTED || event.kind == PS_EVENT_EXITED);
        __atomic_add_fetch(&counter[event.user_data], 1, __ATOMIC_RELAXED);
        __atomic_add_fetch(&taken, 1, __ATOMIC_RELEASE);
    }
    return unused;
}

int main(void)
{
    supervisor = supervisor_new();
    pthread_t spawner[SPAWNERS], taker[TAKERS];
    for (int i = 0; i < TAKERS; i++)
        thread_start(&taker[i], take_some, NULL);
    for (int i = 0; i < SPAWNERS; i++)
        thread_start(&spawner[i], spawn_some, (void *)(intptr_t)(i * EACH));
    for (int i = 0; i < SPAWNERS; i++)
        pthread_join(spawner[i], NULL);
    for (int i = 0; i < TAKERS; i++)
        pthread_join(taker[i], NULL);
    for (int i = 0; i < SPAWNERS * EACH; i++) {
        CHECK_INT(started[i], 1);
        CHECK_INT(ended[i], 1);
        ps_child_free(child[i]);
    }
    CHECK(ps_live_count() == 0 && has_no_child());
    ps_supervisor_free(supervisor);
    return 0;
}
