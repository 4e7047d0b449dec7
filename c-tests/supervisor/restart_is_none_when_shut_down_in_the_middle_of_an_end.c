/* A child that comes back has just ended, and the thread that found that is busy starting the next in line. A shutdown, a free or a
   terminate at this moment holds for the first child, too: it does not come back. */
/* covers: SC-8 */
/* as-root */
#include "harness.h"
#include "supervising.h"

static ps_supervisor *supervisor;
static int over;

static void *drive(void *unused)
{
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
        ps_event event = {.size = sizeof event};
        ps_status status = ps_supervisor_next_event(supervisor, 5, &event, NULL);
        if (status == PS_ERR_SHUTDOWN || status == PS_ERR_BAD_HANDLE)
            break;
        CHECK(event.kind != PS_EVENT_STARTED || event.user_data != 1 || event.run == 1);
    }
    return unused;
}

int main(void)
{
    held_exec held;
    held_exec_begin(&held, "pause_forever");
    for (int round = 0; round < 3; round++) {
        pthread_t driver;
        over = 0;
        supervisor = new_supervisor(1);
        ps_child *child = spawn_named(supervisor, restarting(pausing(), PS_RESTART_ALWAYS, 0, 0), 1);
        ps_child *next = spawn_named(supervisor, command_for(held.path, NULL), 2);
        kill(pid_of(child), SIGKILL);
        thread_start(&driver, drive, NULL);
        held_exec_await(&held); /* the end of the first is known, the second is being started */
        if (round == 0)
            shut_down(supervisor, 0);
        else if (round == 1)
            CHECK_OK(ps_terminate_begin(child, 0, NULL), NULL);
        else
            ps_supervisor_free(supervisor);
        held_exec_let_go(&held);
        if (round == 1) {
            CHECK(wait_until(state_of(next) == PS_STATE_RUNNING, 20000));
            kill_and_free(next);
            next = NULL;
        }
        ps_status status = ps_reap(child, PATIENCE_MS, NULL, NULL);
        if (status != PS_OK)
            harness_fail(__FILE__, __LINE__, "round %d: %s", round, ps_status_name(status));
        CHECK_INT(state_of(child), PS_STATE_EXITED);
        __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
        pthread_join(driver, NULL);
        CHECK(has_no_child());
        ps_child_free(child);
        ps_child_free(next);
        ps_supervisor_free(supervisor);
    }
    held_exec_end(&held);
    return 0;
}
