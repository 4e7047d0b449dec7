/* A worker's stop plan, its signals, its output and its events are those of any child, in a supervisor that looks after others; those who hold its
   output do not hold up its end. */
/* covers: PA-93, P-b3, P-b10, LAW-10, LAW-12, D-11 */
/* variants: few */
#include "harness.h"
#include "keeper.h"

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    keeper k = keeper_begin(supervisor, "never");
    ps_error *error = NULL;
    int32_t number = 0, fd = -1;
    char text[256];

    ps_child *child = worker_of(&k);
    pid_t pid = pid_of(child);
    ps_event event = take_event(supervisor, PS_EVENT_STARTED);
    CHECK(event.child == child && event.pid == pid);
    event = take_event(supervisor, PS_EVENT_READY);
    CHECK(event.child == child);
    CHECK_OK(ps_child_spawn_tier(child, &number, &error), error);
    CHECK_INT(number, PS_TIER_PRELOADER);
    CHECK_INT(state_of(child), PS_STATE_RUNNING);
    CHECK_OK(ps_child_pidfd(child, &fd, &error), error);
    order(&k, "w hello\n");
    await_word(child, "hello\n");
    order(&k, "f\n");
    await_word(child, "held\n");
    if (!signals_reach_workers()) {
        CHECK_STATUS(ps_signal(child, 0, NULL), PS_ERR_UNSUPPORTED);
        CHECK_STATUS(ps_signal_process(child, 0, NULL), PS_ERR_UNSUPPORTED);
        CHECK_STATUS(ps_terminate(child, 60000, NULL, NULL), PS_ERR_UNSUPPORTED);
        order(&k, "x 3\n");
    } else {
        CHECK_OK(ps_signal(child, 0, &error), error);
        CHECK_OK(ps_signal_process(child, 0, &error), error);
        order(&k, "d\n");
        await_word(child, "deaf\n");
        order(&k, "s\n");
        CHECK(wait_until(process_state(pid) == 'T', 20000));
        CHECK_OK(ps_signal_process(child, SIGCONT, &error), error);
        CHECK(wait_until(process_state(pid) != 'T', 20000));
        CHECK_OK(ps_signal_process(child, SIGSTOP, &error), error);
        CHECK(wait_until(process_state(pid) == 'T', 20000));
        CHECK_OK(ps_terminate_begin(child, 20, &error), error);
    }
    event = take_event(supervisor, PS_EVENT_EXITED);
    CHECK(event.child == child && event.pid == pid);
    if (signals_reach_workers())
        CHECK(event.exit.kind == PS_EXIT_SIGNALED && event.exit.signal == SIGKILL && event.exit.cause == PS_CAUSE_STOP);
    else
        CHECK(event.exit.kind == PS_EXIT_EXITED && event.exit.code == 3);
    CHECK(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) == 1);
    close(fd);
    CHECK_INT(process_state(pid), 'Z');
    CHECK(!is_dead(noted(&k, "holder")));
    CHECK(strstr(said_by(child, text, sizeof text), "hello\n") != NULL);
    CHECK_STATUS(ps_signal(child, 0, NULL), PS_ERR_EXITED);
    CHECK_STATUS(ps_signal_process(child, 0, NULL), PS_ERR_EXITED);
    CHECK_STATUS(ps_child_pidfd(child, &fd, NULL), PS_ERR_EXITED);
    CHECK_INT(state_of(child), PS_STATE_EXITED);
    kill(noted(&k, "holder"), SIGKILL);
    ps_child_free(child);
    keeper_end(&k);
    ps_supervisor_free(supervisor);
    CHECK(ps_live_count() == 0 && has_no_child());
    return 0;
}
