/* Kill-all in the midst of births, in a signal handler, too: whoever was made is killed, whoever was not is never born, and each is told of, typed.
   The next spawn has a spawner again. */
/* covers: C15-5, LAW-7 */
/* timeout: 120 */
/* variants: few */
#include "harness.h"
#include "spawning.h"

enum { ROUNDS = 12, BIRTHS = 24 };

static uint32_t left_over;

static void on_signal(int number)
{
    (void)number;
    ps_kill_and_reap_all(20000, &left_over);
}

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_supervisor *supervisor = spawner_supervisor();
    ps_command *command = pausing();
    struct sigaction action = {.sa_handler = on_signal};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    for (int round = 0; round < ROUNDS; round++) {
        ps_child *children[BIRTHS];
        for (int i = 0; i < BIRTHS; i++)
            children[i] = spawn(supervisor, command);
        if (round % 3 == 0) /* all of them run */
            for (int i = 0; i < BIRTHS; i++)
                take_event(supervisor, PS_EVENT_STARTED);
        else
            let_others_run(round * 100);
        left_over = 99;
        if (round % 2)
            CHECK(raise(SIGUSR1) == 0);
        else
            CHECK_OK(ps_kill_and_reap_all(20000, &left_over), error);
        CHECK_INT(left_over, 0);
        CHECK_INT(ps_live_count(), 0);
        CHECK(has_no_child());
        for (int i = 0; i < BIRTHS; i++) {
            ps_exit end = {.size = sizeof end};
            ps_status status = ps_reap(children[i], PATIENCE_MS, &end, NULL);
            if (status == PS_OK) {
                CHECK_INT(end.signal, SIGKILL);
                CHECK_INT(end.cause, PS_CAUSE_KILL_ALL);
            } else {
                CHECK_INT(status, PS_ERR_CANCELLED);
            }
            ps_child_free(children[i]);
        }
        CHECK(has_no_child());
    }
    ps_child *child = spawn(supervisor, command);
    CHECK_OK(ps_wait_ready(child, PATIENCE_MS, &error), error);
    CHECK_INT(ps_live_count(), 2);
    terminate(child, 0);
    ps_child_free(child);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    leak_guard_end(&guard);
    return 0;
}
