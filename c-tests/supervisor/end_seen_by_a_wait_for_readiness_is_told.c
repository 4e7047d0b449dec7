/* Whoever waits until a child is ready reaps it when it dies, and tells nobody: its end is told all the same, also where it stands behind more others that
   have ended than one look finds. Else there were no EXITED and no next run, and its slot was taken for ever. */
/* covers: LAW-11 */
/* variants: none */
#include "harness.h"

#include "ready.h"
#include "supervising.h"

enum { CROWD = 100 };

/* While this process waits it is stopped until all are zombies: the last of them stands behind all others. */
static pid_t kill_all_while_this_waits(ps_child **children)
{
    pid_t host = getpid(), pids[CROWD];
    for (int i = 0; i < CROWD; i++)
        pids[i] = pid_of(children[i]);
    pid_t killer = fork();
    CHECK(killer >= 0);
    if (killer > 0)
        return killer;
    CHECK(wait_until(process_state(host) == 'S', 20000));
    CHECK(kill(host, SIGSTOP) == 0);
    CHECK(wait_until(process_state(host) == 'T', 20000));
    for (int i = 0; i < CROWD; i++)
        CHECK(kill(pids[i], SIGTERM) == 0);
    for (int i = 0; i < CROWD; i++)
        CHECK(wait_until(process_state(pids[i]) == 'Z', 20000));
    CHECK(kill(host, SIGCONT) == 0);
    _exit(0);
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_child *children[CROWD];
    /* It says nothing until its end. */
    ps_command *command = ready_command(PS_READY_FD, "3", 120000, "pause", NULL);
    CHECK_OK(ps_command_restart(command, PS_RESTART_ON_FAILURE, 1, 10, &error), error);
    for (int i = 0; i < CROWD; i++)
        CHECK_OK(ps_spawn(supervisor, command, &children[i], &error), error);
    ps_command_free(command);
    pid_t killer = kill_all_while_this_waits(children);
    CHECK_STATUS(ps_wait_ready(children[CROWD - 1], 3000, &error), PS_ERR_TIMEOUT);
    wait_for(killer);
    ps_error_free(error);
    int ends = 0, starts = 0;
    while (ends < CROWD || starts < 2 * CROWD) {
        ps_event event = {.size = sizeof event};
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        ends += event.kind == PS_EVENT_EXITED;
        starts += event.kind == PS_EVENT_STARTED;
    }
    ps_supervisor_free(supervisor);
    for (int i = 0; i < CROWD; i++)
        ps_child_free(children[i]);
    return 0;
}
