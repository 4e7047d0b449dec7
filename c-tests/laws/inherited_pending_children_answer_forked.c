/* In a forked copy of the host the handles of children in line, or between two runs, answer FORKED; their line is the
   original's: it goes on there as if nothing had been. */
/* covers: LAW-6 */
#include "harness.h"
#include "supervising.h"

static ps_supervisor *supervisor;
static ps_child *waiting, *resting;

static void in_the_copy(void)
{
    ps_child *const inherited[] = {waiting, resting};
    ps_exit end = {.size = sizeof end};
    ps_child *none = NULL;
    int32_t number;
    uint32_t count;
    ps_command *command = exiting("0");
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(ps_child_state(inherited[i], &number, NULL), PS_ERR_FORKED);
        CHECK_STATUS(ps_reap(inherited[i], -1, &end, NULL), PS_ERR_FORKED);
        CHECK_STATUS(ps_reap_nonblock(inherited[i], &end, NULL), PS_ERR_FORKED);
        CHECK_STATUS(ps_terminate(inherited[i], -1, &end, NULL), PS_ERR_FORKED);
        CHECK_STATUS(ps_terminate_begin(inherited[i], -1, NULL), PS_ERR_FORKED);
        CHECK_STATUS(ps_signal(inherited[i], SIGKILL, NULL), PS_ERR_FORKED);
        CHECK_STATUS(ps_child_pid(inherited[i], &number, NULL), PS_ERR_FORKED);
        ps_child_free(inherited[i]);
    }
    CHECK_STATUS(ps_spawn(supervisor, command, &none, NULL), PS_ERR_FORKED);
    CHECK_STATUS(ps_spawn_replicas(supervisor, command, 1, &none, NULL), PS_ERR_FORKED);
    CHECK_STATUS(ps_supervisor_set_max_running(supervisor, 0, NULL), PS_ERR_FORKED);
    CHECK_STATUS(ps_supervisor_set_max_pending(supervisor, 0, NULL), PS_ERR_FORKED);
    CHECK_STATUS(ps_supervisor_counts(supervisor, &count, NULL, NULL, NULL), PS_ERR_FORKED);
    CHECK_STATUS(ps_supervisor_shutdown(supervisor, 0, NULL), PS_ERR_FORKED);
    ps_supervisor_free(supervisor);
    CHECK_INT(child_count(), 0);

    ps_supervisor *own = new_supervisor(1); /* and a line of its own */
    ps_child *first = spawn(own, command), *second = spawn(own, command);
    CHECK(reap(second).code == 0 && reap(first).code == 0);
    ps_child_free(first);
    ps_child_free(second);
    ps_command_free(command);
    ps_supervisor_free(own);
}

int main(void)
{
    static event_log log;
    supervisor = new_supervisor(1);
    resting = spawn_named(supervisor, restarting(exiting("0"), PS_RESTART_ALWAYS, 600000, 600000), 1);
    take_until(supervisor, &log, PS_EVENT_RESTARTING, 1, 1);
    ps_child *first = spawn_named(supervisor, pausing(), 2);
    waiting = spawn_named(supervisor, exiting("3"), 3);
    in_forked_process(in_the_copy);
    CHECK_COUNTS(supervisor, 2, 1, 0);
    CHECK(state_of(resting) == PS_STATE_PENDING && state_of(waiting) == PS_STATE_PENDING);
    kill_and_free(first);
    CHECK_INT(reap(waiting).code, 3);
    ps_supervisor_free(supervisor);
    CHECK_INT(reap(resting).code, 0);
    ps_child_free(waiting);
    ps_child_free(resting);
    return 0;
}
