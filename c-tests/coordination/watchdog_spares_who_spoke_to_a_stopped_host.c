/* A host that was stopped for three periods ends nobody who has spoken meanwhile: not one whose words are in the queue, nor one that was stopped,
   too, and goes on after the host. */
/* covers: C13-4 */
/* variants: none */
#include "notifying.h"

/* Stops the host, and (if there is one) its child, for so long. */
static pid_t stop_for(int64_t ms, pid_t child)
{
    pid_t host = getpid(), stopper = fork();
    if (stopper == 0) {
        poll(NULL, 0, 20);
        kill(host, SIGSTOP);
        if (child > 0)
            kill(child, SIGSTOP);
        poll(NULL, 0, (int)ms);
        kill(host, SIGCONT);
        poll(NULL, 0, (int)ms / 12);
        if (child > 0)
            kill(child, SIGCONT);
        _exit(0);
    }
    CHECK(stopper > 0);
    return stopper;
}

static void spared(ps_supervisor *supervisor, bool both)
{
    int64_t period = 200 * slowness();
    struct speaker child = speaking(supervisor, PS_NOTIFY_MAIN, period, "say", "READY=1", "pings", "20", NULL);
    int32_t pid = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_child_pid(child.child, &pid, &error), error);
    await_event(supervisor, PS_EVENT_READY);
    pid_t stopper = stop_for(3 * period, both ? pid : 0);
    uint64_t before = said(&child).messages;
    /* Through the stop, and until it has spoken again often enough behind it. */
    for (int64_t end = now_ms() + 4 * period; now_ms() < end;) {
        ps_event event = {.size = sizeof event};
        CHECK_STATUS(ps_supervisor_next_event(supervisor, end - now_ms(), &event, &error), PS_PENDING);
    }
    CHECK(waitpid(stopper, NULL, 0) == stopper);
    CHECK(wait_until(said(&child).messages > before + 5, 20000));
    int32_t state = -1;
    CHECK_OK(ps_child_state(child.child, &state, &error), error);
    CHECK_INT(state, PS_STATE_RUNNING);
    speaker_end(&child);
}

/* A host that was busy elsewhere comes hardly late, when its time is just over: what is in the queue is read first. */
static void heard_before_it_is_judged(ps_supervisor *supervisor)
{
    struct speaker child = speaking(supervisor, PS_NOTIFY_MAIN, 800, "say", "READY=1", "pings", "20", NULL);
    ps_error *error = NULL;
    await_event(supervisor, PS_EVENT_READY);
    poll(NULL, 0, 820);
    ps_event event = {.size = sizeof event};
    CHECK_STATUS(ps_supervisor_next_event(supervisor, 100, &event, &error), PS_PENDING);
    CHECK(said(&child).messages > 5);
    speaker_end(&child);
}

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    heard_before_it_is_judged(supervisor);
    spared(supervisor, false);
    spared(supervisor, true);
    ps_supervisor_free(supervisor);
    return 0;
}
