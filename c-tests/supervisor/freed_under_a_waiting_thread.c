/* A thread waits in next_event for ever, another frees the supervisor: the wait ends with SHUTDOWN (or, too late, BAD_HANDLE). */
/* covers: SC-9 */
#include "harness.h"
#include "children.h"

static ps_supervisor *supervisor;
static int entered;

static void *wait_for_ever(void *unused)
{
    ps_status status;
    ps_event event = {.size = sizeof event};
    __atomic_store_n(&entered, 1, __ATOMIC_RELEASE);
    while ((status = ps_supervisor_next_event(supervisor, -1, &event, NULL)) == PS_OK)
        ;
    CHECK(status == PS_ERR_SHUTDOWN || status == PS_ERR_BAD_HANDLE);
    return unused;
}

int main(void)
{
    for (int i = 0; i < 50; i++) {
        pthread_t thread;
        entered = 0;
        supervisor = supervisor_new();
        ps_child *child = spawn_once(supervisor, pausing());
        thread_start(&thread, wait_for_ever, NULL);
        CHECK(wait_until(__atomic_load_n(&entered, __ATOMIC_ACQUIRE), 20000));
        let_others_run(i * 40);
        ps_supervisor_free(supervisor);
        pthread_join(thread, NULL);
        CHECK_INT(reap(child).cause, PS_CAUSE_SHUTDOWN);
        ps_child_free(child);
    }
    return 0;
}
