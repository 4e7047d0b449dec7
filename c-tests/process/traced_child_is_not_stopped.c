/* A child that a tracer holds stands still, and is not stopped: it goes on when the tracer lets it, and nobody who sends it SIGCONT helps it. Neither
   ps_child_stopped nor the events say so of it; once it is let go, a stop is told as ever. */
/* variants: few */
#include "halting.h"
#include "tracer.h"

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_named(supervisor, watched(pausing(), SOON_MS), 1);
    pid_t pid = pid_of(child);
    expect(supervisor, PS_EVENT_STARTED, 1);
    tracer by = tracer_begin(&pid, 1);
    send_it(child, SIGWINCH); /* which the tracer is asked about, and never answers */
    CHECK(wait_until(process_state(pid) == 't', PATIENCE_MS));
    CHECK_INT(stopped_by(child), 0);
    ps_event none = {.size = sizeof none};
    CHECK_STATUS(ps_supervisor_next_event(supervisor, 4 * SOON_MS, &none, NULL), PS_PENDING); /* as long as some looks take */
    CHECK_INT(process_state(pid), 't');
    tracer_end(by);
    send_it(child, SIGSTOP);
    EXPECT_STOPPED(supervisor, 1, SIGSTOP);
    kill_and_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
