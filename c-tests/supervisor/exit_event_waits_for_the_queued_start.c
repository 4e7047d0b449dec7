/* The exec of who gets the slot takes its time: until it is done nobody can take the EXITED that freed the slot, from
   whatever thread; calls that ask for nothing of that do not wait. */
/* covers: SC-5 */
/* as-root */
#include "harness.h"
#include "supervising.h"

static ps_child *first;

static void *wait_for_it(void *unused)
{
    CHECK_INT(reap(first).signal, SIGKILL);
    return unused;
}

int main(void)
{
    held_exec held;
    pthread_t thread;
    held_exec_begin(&held, "pause_forever");
    ps_supervisor *supervisor = new_supervisor(1);
    first = spawn_named(supervisor, pausing(), 1);
    ps_child *next = spawn_named(supervisor, command_for(held.path, NULL), 2);
    expect(supervisor, PS_EVENT_STARTED, 1);
    thread_start(&thread, wait_for_it, NULL);
    kill(pid_of(first), SIGKILL);
    held_exec_await(&held); /* that thread is starting the next one */
    for (int i = 0; i < 20; i++) {
        expect_nothing(supervisor);
        CHECK_COUNTS(supervisor, 0, 1, 0);
        poll(NULL, 0, 1);
    }
    held_exec_let_go(&held);
    expect(supervisor, PS_EVENT_EXITED, 1);
    CHECK_INT(expect(supervisor, PS_EVENT_STARTED, 2).pid, pid_of(next));
    pthread_join(thread, NULL);
    held_exec_end(&held);
    kill_and_free(next);
    ps_child_free(first);
    ps_supervisor_free(supervisor);
    return 0;
}
