/* variants: none */
/* A contained child speaks by NOTIFY_SOCKET as any: the kernel tells of a number that is its program's here, and that is the one who is believed, also
   when it is gone. */
#include "harness.h"
#include "contained.h"
#include "notifying.h"

static void notify(void)
{
    struct speaker speaker = {.in = -1, .out = -1};
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = contained(notifier_for(PS_NOTIFY_MAIN, 60000, "say", "READY=1\nMAINPID=2", "pid", "fork", "say", "STATUS=no", "print",
                                                 "done", "pause", NULL));
    speaker = speaker_of(supervisor, command);
    CHECK_OK(ps_wait_ready(speaker.child, PATIENCE_MS, &error), error);
    CHECK(read_line(speaker.out, speaker.line, sizeof speaker.line));
    CHECK(strcmp(speaker.line, "2") == 0 || strcmp(speaker.line, "3") == 0);
    CHECK(read_line(speaker.out, speaker.line, sizeof speaker.line));
    CHECK_STR(speaker.line, "done");
    kill_and_free(speaker.child);
    close(speaker.in);
    close(speaker.out);

    /* In a hurry: what it said is heard when it is gone. */
    command = contained(notifier_for(PS_NOTIFY_MAIN, 0, "say", "READY=1\nSTATUS=short", "exit", "0", NULL));
    speaker = speaker_of(NULL, command);
    ps_status status = ps_wait_ready(speaker.child, PATIENCE_MS, &error);
    CHECK(status == PS_OK || (status == PS_ERR_EXITED && strstr(ps_error_message(error), "was ready")));
    ps_error_free(error);
    error = NULL;
    reap_and_free(speaker.child);
    close(speaker.in);
    close(speaker.out);

    /* Its group may speak, if that was said. */
    command = contained(notifier_for(PS_NOTIFY_GROUP, 0, "fork", "say", "READY=1", "pause", NULL));
    speaker = speaker_of(NULL, command);
    CHECK_OK(ps_wait_ready(speaker.child, PATIENCE_MS, &error), error);
    kill_and_free(speaker.child);
    close(speaker.in);
    close(speaker.out);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    need_contained();
    notify();
    return 0;
}
