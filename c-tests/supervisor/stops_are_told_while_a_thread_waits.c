/* A thread that waits for a stopped child in ps_reap looks as well: the stop is told to who takes events, through the descriptor. */
/* variants: none */
#include "halting.h"

static void *reaps(void *child)
{
    reap(child);
    return NULL;
}

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_named(supervisor, watched(pausing(), SOON_MS), 1);
    expect(supervisor, PS_EVENT_STARTED, 1);
    expect_nothing(supervisor);
    pthread_t thread;
    thread_start(&thread, reaps, child);
    for (int i = 0; i < 3; i++) {
        send_it(child, SIGSTOP);
        CHECK(readable(fd_of(supervisor), (int)PATIENCE_MS));
        EXPECT_STOPPED(supervisor, 1, SIGSTOP);
        send_it(child, SIGCONT);
        expect(supervisor, PS_EVENT_CONTINUED, 1);
    }
    send_it(child, SIGKILL);
    expect(supervisor, PS_EVENT_EXITED, 1);
    pthread_join(thread, NULL);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
