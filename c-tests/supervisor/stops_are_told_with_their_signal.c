/* A child that asks for it is told to be stopped, with the signal, and to go on: one after the other, between its start and its end, in each of
   its runs, whatever the host has set for SIGCHLD. Its state stays RUNNING. */
#include "halting.h"

static void with_dispositions(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_named(supervisor, watched(restarting(pausing(), PS_RESTART_ON_FAILURE, 0, 0), SOON_MS), 7);
    static const int by[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
    for (unsigned run = 1; run <= 2; run++) {
        CHECK_INT(expect(supervisor, PS_EVENT_STARTED, 7).run, run);
        for (unsigned i = 0; i < sizeof by / sizeof *by; i++) {
            int64_t before = now_ns();
            send_it(child, by[i]);
            ps_event stopped = expect(supervisor, PS_EVENT_STOPPED, 7);
            CHECK_INT(stopped.signal, by[i]);
            CHECK(stopped.run == run && stopped.pid == pid_of(child) && stopped.status == PS_OK && stopped.time_ns >= before);
            CHECK_INT(stopped_by(child), by[i]);
            CHECK_INT(state_of(child), PS_STATE_RUNNING);
            send_it(child, SIGCONT);
            ps_event goes = expect(supervisor, PS_EVENT_CONTINUED, 7);
            CHECK(goes.signal == 0 && goes.run == run && goes.time_ns >= stopped.time_ns);
            CHECK_INT(stopped_by(child), 0);
        }
        if (run == 1) {
            send_it(child, SIGKILL);
            expect(supervisor, PS_EVENT_EXITED, 7);
            expect(supervisor, PS_EVENT_RESTARTING, 7);
        }
    }
    /* Killed while it is stopped: its end ends both. */
    stop_it(child, SIGSTOP);
    EXPECT_STOPPED(supervisor, 7, SIGSTOP);
    terminate(child, 0);
    int32_t kind = 0;
    while (kind != PS_EVENT_EXITED) {
        ps_event event = {.size = sizeof event};
        ps_error *error = NULL;
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        kind = event.kind;
        CHECK(kind == PS_EVENT_EXITED || kind == PS_EVENT_CONTINUED); /* its plan continues it */
    }
    CHECK_INT(stopped_by(child), 0);
    expect_nothing(supervisor);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
}

static void ignored(void)
{
    signal(SIGCHLD, SIG_IGN);
    with_dispositions();
}

static void no_stops(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP};
    sigaction(SIGCHLD, &action, NULL);
    with_dispositions();
}

int main(void)
{
    with_dispositions();
    in_forked_process(ignored);
    in_forked_process(no_stops);
    return 0;
}
