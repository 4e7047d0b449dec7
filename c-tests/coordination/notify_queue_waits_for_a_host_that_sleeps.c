/* The kernel's queue holds so many messages (net.unix.max_dgram_qlen); then the child waits, and nothing is lost while nobody looks. Nor at its end:
   a queue that is full is heard to the last message, and READY=1 in that comes before the exit. */
/* covers: C13-3, CO-systemd-2737 */
#include "notifying.h"

static int queue_length(void)
{
    int length = 10;
    FILE *file = fopen("/proc/sys/net/unix/max_dgram_qlen", "re");
    if (file && fscanf(file, "%d", &length) != 1)
        length = 10;
    if (file)
        fclose(file);
    return length;
}

int main(void)
{
    char count[32];
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    int queue = queue_length();
    if (queue > 3000)
        SKIP("the queue of messages is longer than one that is heard to its end");
    snprintf(count, sizeof count, "%d", queue + 40);
    struct speaker child = speaking(supervisor, PS_NOTIFY_MAIN, 0, "say", "READY=1", "times", count, "STATUS=busy", "print", "through", "exit", "7",
                                    NULL);
    int32_t pid = 0;
    CHECK_OK(ps_child_pid(child.child, &pid, &error), error);
    CHECK(!readable(child.out, 50));
    CHECK(wait_until(process_state(pid) == 'S', 20000));
    CHECK(!readable(child.out, 0));
    ps_event event = await_event(supervisor, PS_EVENT_READY);
    CHECK(event.child == child.child);
    event = await_event(supervisor, PS_EVENT_EXITED);
    CHECK(event.child == child.child);
    CHECK_INT(said(&child).messages, queue + 41);
    CHECK_STR(hear(&child), "through");
    speaker_end(&child);

    /* More than looks at one that runs take; and no more than the sender's own buffer has room for. */
    int last = queue < 240 ? queue : 240;
    snprintf(count, sizeof count, "%d", last - 1);
    child = speaking(supervisor, PS_NOTIFY_MAIN, 0, "times", count, "STATUS=early", "say", "READY=1", "exit", "7", NULL);
    CHECK_OK(ps_child_pid(child.child, &pid, &error), error);
    CHECK(wait_until(process_state(pid) == 'Z', 20000));
    event = await_event(supervisor, PS_EVENT_READY);
    CHECK(event.child == child.child);
    event = await_event(supervisor, PS_EVENT_EXITED);
    CHECK_INT(said(&child).messages, last);
    speaker_end(&child);
    ps_supervisor_free(supervisor);
    return 0;
}
