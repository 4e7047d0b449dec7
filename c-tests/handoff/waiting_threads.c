/* next_event in one thread while others answer, upgrade and free: it is woken by what they do, and ended by ps_handoff_free. */
/* covers: D1.2 */
#include "harness.h"
#include "handoff.h"

static ps_handoff *handoff;
static ps_handoff_event told[8];
static int count;
static ps_status last;

static void *wait_for_events(void *unused)
{
    for (;;) {
        ps_handoff_event event = {.size = sizeof event};
        last = ps_handoff_next_event(handoff, -1, &event, NULL);
        if (last != PS_OK)
            return unused;
        told[count] = event;
        __atomic_store_n(&count, count + 1, __ATOMIC_RELEASE);
    }
}

#define come(n) CHECK(wait_until(__atomic_load_n(&count, __ATOMIC_ACQUIRE) == (n), 20000))

int main(void)
{
    pthread_t thread, second;
    ps_error *error = NULL;
    stage_begin();
    warm_up();
    leak_guard guard = leak_guard_begin();
    CHECK_OK(ps_handoff_new(stage.path, &handoff, &error), error);
    thread_start(&thread, wait_for_events, NULL);
    come(1);
    CHECK_INT(told[0].kind, LIVE);
    CHECK_OK(ps_handoff_live(handoff, &error), error);
    ps_command *command = pausing();
    CHECK_OK(ps_handoff_upgrade(handoff, command, 20000, &error), error);
    CHECK_OK(ps_handoff_cancel(handoff, &error), error);
    come(2);
    CHECK(told[1].kind == ABORTED && told[1].reason == PS_ERR_CANCELLED);
    ps_command_free(command);
    command = exiting("0");
    CHECK_OK(ps_handoff_upgrade(handoff, command, 20000, &error), error);
    come(3);
    CHECK(told[2].kind == ABORTED && told[2].reason == PS_ERR_EXITED);
    ps_command_free(command);
    thread_start(&second, wait_for_events, NULL); /* two may wait */
    poll(NULL, 0, 20);
    ps_handoff_free(handoff);
    pthread_join(thread, NULL);
    pthread_join(second, NULL);
    CHECK(last == PS_ERR_SHUTDOWN || last == PS_ERR_BAD_HANDLE);
    leak_guard_end(&guard);
    stage_end();
    return 0;
}
