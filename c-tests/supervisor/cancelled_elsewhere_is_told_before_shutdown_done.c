/* Children that another thread cancels in the middle of a shutdown are told of before SHUTDOWN_DONE, which is the last event. */
/* covers: SC-8 */
#include "harness.h"
#include "supervising.h"

enum { WAITING = 12, ROUNDS = 300 };

static ps_supervisor *supervisor;
static ps_child *child[WAITING];
static pthread_barrier_t together;

static void *cancel_all(void *unused)
{
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&together);
        for (int i = 0; i < WAITING; i++)
            cancel(child[i]);
        pthread_barrier_wait(&together);
    }
    return unused;
}

int main(void)
{
    pthread_t canceller;
    ps_command *command = helper_command("nothing", NULL);
    pthread_barrier_init(&together, NULL, 2);
    thread_start(&canceller, cancel_all, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        supervisor = new_supervisor(1);
        ps_child *running = spawn_once(supervisor, pausing());
        for (int i = 0; i < WAITING; i++)
            child[i] = spawn(supervisor, command);
        ps_error *error = NULL;
        CHECK_OK(ps_signal(running, SIGKILL, &error), error);
        /* Its end is there to be found: the shutdown has only the line to see to. */
        CHECK(wait_until(process_state(pid_of(running)) == 'Z', 20000));
        pthread_barrier_wait(&together);
        shut_down(supervisor, 0);
        int cancelled = 0;
        ps_event event = {.size = sizeof event};
        do {
            CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
            cancelled += event.kind == PS_EVENT_CANCELLED;
        } while (event.kind != PS_EVENT_SHUTDOWN_DONE);
        pthread_barrier_wait(&together);
        CHECK_STATUS(ps_supervisor_next_event(supervisor, 0, &event, &error), PS_PENDING);
        CHECK_INT(cancelled, WAITING);
        ps_child_free(running);
        for (int i = 0; i < WAITING; i++)
            ps_child_free(child[i]);
        ps_supervisor_free(supervisor);
    }
    pthread_join(canceller, NULL);
    pthread_barrier_destroy(&together);
    ps_command_free(command);
    return 0;
}
