/* Freed while another thread is in the middle of starting a queued child: the child does not outlive that start, its handle
   answers, and who waits for it is told. */
/* covers: SC-9 */
/* as-root */
#include "harness.h"
#include "supervising.h"

static ps_supervisor *supervisor;
static ps_child *child;

static void *drive(void *unused)
{
    ps_status status;
    ps_event event = {.size = sizeof event};
    while ((status = ps_supervisor_next_event(supervisor, -1, &event, NULL)) == PS_OK)
        ;
    CHECK(status == PS_ERR_SHUTDOWN || status == PS_ERR_BAD_HANDLE);
    return unused;
}

static void *wait_for_it(void *unused)
{
    ps_status status = ps_reap(child, -1, NULL, NULL);
    CHECK(status == PS_OK || status == PS_ERR_SHUTDOWN);
    return unused;
}

int main(void)
{
    held_exec held;
    pthread_t driver, waiter;
    held_exec_begin(&held, "pause_forever");
    warm_up();
    leak_guard guard = leak_guard_begin();
    for (int round = 0; round < 4; round++) {
        supervisor = new_supervisor(1);
        ps_child *first = spawn_named(supervisor, pausing(), 1);
        ps_command *command = name_it(command_for(held.path, NULL), 2);
        if (round % 2)
            restarting(command, PS_RESTART_ALWAYS, 0, 0);
        child = spawn_once(supervisor, command);
        kill(pid_of(first), SIGKILL);
        thread_start(&driver, drive, NULL);
        held_exec_await(&held);
        thread_start(&waiter, wait_for_it, NULL);
        ps_supervisor_free(supervisor);
        held_exec_let_go(&held);
        pthread_join(driver, NULL);
        pthread_join(waiter, NULL);
        CHECK(has_no_child());
        CHECK(state_of(child) == PS_STATE_EXITED || state_of(child) == PS_STATE_CANCELLED);
        ps_child_free(first);
        ps_child_free(child);
        leak_guard_end(&guard);
    }
    held_exec_end(&held);
    return 0;
}
