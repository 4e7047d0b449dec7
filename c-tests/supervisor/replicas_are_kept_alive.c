/* N workers: whichever is killed comes back as a new process under the same handle, the others do not notice; the pool survives the
   loss of all at once. */
#include "harness.h"
#include "supervising.h"

enum { N = 5 };

int main(void)
{
    static event_log log;
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(0);
    ps_command *command = giving_up_after(name_it(pausing(), 1), 0);
    CHECK_OK(ps_command_restart(command, PS_RESTART_NEVER, 0, 1, &error), error); /* the waits; the policy is the pool's own */
    ps_child *child[N + 1] = {NULL};
    pid_t pid[N], before[N];
    CHECK_OK(ps_spawn_replicas(supervisor, command, N, child, &error), error);
    ps_command_free(command);
    CHECK(child[N] == NULL);
    CHECK_COUNTS(supervisor, 0, N, 0);
    for (int i = 0; i < N; i++)
        pid[i] = pid_of(child[i]);
    for (int killed = 0; killed <= N; killed++) {
        memcpy(before, pid, sizeof pid);
        log.count = 0;
        for (int i = 0; i < N; i++)
            if (i == killed || killed == N)
                kill(pid[i], SIGKILL);
        take_until(supervisor, &log, PS_EVENT_RESTARTING, 1, killed == N ? N : 1);
        take_until(supervisor, &log, PS_EVENT_STARTED, 1, killed == N ? N : killed == 0 ? N + 1 : 1);
        for (int i = 0; i < N; i++) {
            CHECK_INT(state_of(child[i]), PS_STATE_RUNNING);
            pid[i] = pid_of(child[i]);
            CHECK((pid[i] != before[i]) == (i == killed || killed == N));
            CHECK(!is_dead(pid[i]));
        }
        CHECK_INT(child_count(), N);
    }
    shut_down(supervisor, -1);
    log.count = 0;
    take_until(supervisor, &log, PS_EVENT_SHUTDOWN_DONE, 0, 1);
    CHECK_INT(logged(&log, PS_EVENT_RESTARTING, 0), 0);
    CHECK(has_no_child());
    for (int i = 0; i < N; i++)
        ps_child_free(child[i]);
    ps_supervisor_free(supervisor);
    return 0;
}
