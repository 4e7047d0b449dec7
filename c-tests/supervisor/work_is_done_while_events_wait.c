/* Events wait in the queue, always more than the host takes. Whatever is due meanwhile is done by the calls that take them: an end is reaped, a
   queued child started, one that rests started again, a stop plan climbed, a shutdown gone through with. */
/* covers: F8 */
#include "harness.h"
#include "supervising.h"

static ps_supervisor *supervisor;

/* One of the many; it must not be the last. At first quickly; a child may need its time on a busy machine. */
static void take_one(int pause_ms)
{
    ps_error *error = NULL;
    ps_event event = {.size = sizeof event};
    CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
    CHECK_INT(event.user_data, 1);
    poll(NULL, 0, pause_ms);
}

/* Takes a few until the condition holds. */
#define TAKE_UNTIL(condition)                                                                                                  \
    do {                                                                                                                       \
        int taken_ = 0;                                                                                                        \
        for (; !(condition); taken_++) {                                                                                       \
            take_one(taken_ < 100 ? 2 : 20);                                                                                   \
            if (taken_ > 1400)                                                                                                 \
                harness_fail(__FILE__, __LINE__, "not done by %d calls: %s", taken_, #condition);                              \
        }                                                                                                                      \
    } while (0)

int main(void)
{
    ps_error *error = NULL;
    supervisor = new_supervisor(0);
    ps_command *command = name_it(shell("i=0; while [ $i -lt 8000 ]; do echo $i; i=$((i+1)); done; echo ready >&2; read line", ""), 1);
    CHECK_OK(ps_command_output_lines(command, 1, &error), error);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 2, PS_STDIO_PIPE, -1);
    ps_child *talker = spawn_once(supervisor, command);
    /* Somebody's wait reads it all ahead: eight thousand events wait. */
    struct pollfd said = {.fd = pipe_end(talker, 2), .events = POLLIN};
    CHECK(wait_until(ps_reap(talker, 50, NULL, NULL) == PS_ERR_TIMEOUT && poll(&said, 1, 0) == 1, 20000));
    CHECK_STATUS(ps_reap(talker, 100, NULL, NULL), PS_ERR_TIMEOUT);

    gate ends = new_gate();
    ps_child *ended = spawn_named(supervisor, at_gate(&ends), 2);
    pid_t pid = pid_of(ended);
    open_gate(&ends);
    TAKE_UNTIL(process_gone(pid));

    limit_running(supervisor, 2);
    gate slot = new_gate();
    ps_child *holder = spawn_named(supervisor, at_gate(&slot), 3);
    ps_child *queued = spawn_named(supervisor, pausing(), 4);
    CHECK_COUNTS(supervisor, 1, 2, 0);
    open_gate(&slot);
    TAKE_UNTIL(counts_of(supervisor).pending == 0);
    limit_running(supervisor, 0);

    gate run = new_gate();
    ps_child *again = spawn_named(supervisor, restarting(at_gate(&run), PS_RESTART_ALWAYS, 50, 50), 5);
    pid = pid_of(again);
    open_gate(&run);
    TAKE_UNTIL(pid_of(again) != pid);

    ps_child *deaf = spawn_deaf(supervisor);
    pid = pid_of(deaf);
    CHECK_OK(ps_terminate_begin(deaf, 60, &error), error);
    CHECK(!process_gone(pid));
    TAKE_UNTIL(process_gone(pid));

    pid = pid_of(queued);
    shut_down(supervisor, -1);
    TAKE_UNTIL(process_gone(pid) && counts_of(supervisor).stopping == 0);

    ps_supervisor_free(supervisor);
    ps_child *children[] = {talker, ended, holder, queued, again, deaf};
    for (size_t i = 0; i < sizeof children / sizeof *children; i++)
        ps_child_free(children[i]);
    return 0;
}
