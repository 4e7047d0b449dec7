/* What a supervisor does for its children it does for those that a spawner makes: a limit and a line, restarts, replicas, a shutdown, output
   files, several threads. */
/* covers: C15-5 */
/* timeout: 120 */
/* variants: only tier-fork: threads cannot be made where it is locked down */
#include "harness.h"
#include "spawning.h"

static ps_supervisor *supervisor;
static ps_error *error;

static void *spawns(void *unused)
{
    ps_command *command = exiting("0");
    (void)unused;
    for (int i = 0; i < 30; i++) {
        ps_child *child = spawn(supervisor, command);
        ps_exit end;
        await_end(child, PS_OK, &end);
        CHECK_INT(end.code, 0);
        ps_child_free(child);
    }
    ps_command_free(command);
    return NULL;
}

int main(void)
{
    warm_up();
    leak_guard guard = leak_guard_begin();
    supervisor = spawner_supervisor();

    /* Never more than two at once, first in, first out. */
    limit_running(supervisor, 2);
    ps_child *line[10];
    ps_command *command = exiting("0");
    for (int i = 0; i < 10; i++) {
        CHECK_OK(ps_command_user_data(command, (uint64_t)i + 1, &error), error);
        line[i] = spawn(supervisor, command);
    }
    int running = 0;
    for (int ended = 0; ended < 10;) {
        ps_event event = {.size = sizeof event};
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        if (event.kind == PS_EVENT_STARTED)
            CHECK(++running <= 2);
        if (event.kind == PS_EVENT_EXITED)
            running--, ended++;
    }
    for (int i = 0; i < 10; i++)
        ps_child_free(line[i]);
    limit_running(supervisor, 0);
    ps_command_free(command);

    /* A program that fails is started again, one that is not there counts as failed runs. */
    command = giving_up_after(restarting(exiting("1"), PS_RESTART_ON_FAILURE, 1, 2), 3);
    ps_child *child = spawn(supervisor, command);
    ps_event event = await_event(supervisor, PS_EVENT_GAVE_UP);
    CHECK(event.child == child && event.run == 3);
    ps_child_free(child);
    ps_command_free(command);
    command = giving_up_after(restarting(command_for("/no/such/program", NULL), PS_RESTART_ALWAYS, 1, 2), 2);
    child = spawn(supervisor, command);
    event = await_event(supervisor, PS_EVENT_GAVE_UP);
    CHECK(event.child == child && event.status == PS_ERR_NOT_FOUND);
    ps_child_free(child);
    ps_command_free(command);

    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        thread_start(&threads[i], spawns, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);

    /* The end: who runs is stopped, and who is just being made is cancelled, or stopped. */
    command = pausing();
    for (int i = 0; i < 10; i++)
        line[i] = spawn(supervisor, command);
    shut_down(supervisor, 0);
    await_event(supervisor, PS_EVENT_SHUTDOWN_DONE);
    for (int i = 0; i < 10; i++)
        ps_child_free(line[i]);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    leak_guard_end(&guard);
    return 0;
}
