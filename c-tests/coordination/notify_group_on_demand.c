/* With PS_NOTIFY_GROUP every process of its group speaks for the child; not one that has left it, nor one that is gone when it is heard. */
/* covers: C13-3 */
#include "notifying.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    struct speaker child = speaking(supervisor, PS_NOTIFY_GROUP, 0, "fork", "say", "READY=1\\nSTATUS=helped", "pause", NULL);
    CHECK_OK(ps_wait_ready(child.child, PATIENCE_MS, &error), error);
    CHECK_STR(status_text(&child), "helped");
    CHECK_INT(said(&child).refused, 0);
    speaker_end(&child);

    child = speaking(supervisor, PS_NOTIFY_GROUP, 0, "fork", "session", "say", "READY=1", "print", "said", "line", NULL);
    CHECK_STR(hear(&child), "said");
    CHECK(wait_until(said(&child).refused == 1, 20000));
    CHECK_INT(said(&child).ready, 0);
    speaker_end(&child);

    /* The last one of them has been reaped by its parent, which says so, before anybody looks. */
    ps_command *command = shell("$1 say READY=1; echo gone; read -r line; exec $1 say STATUS=mine pause", helper_path("notifier"));
    CHECK_OK(ps_command_readiness(command, PS_READY_NOTIFY, NULL, 60000 * slowness(), &error), error);
    CHECK_OK(ps_command_notify_access(command, PS_NOTIFY_GROUP, &error), error);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    child = speaker_of(supervisor, command);
    CHECK_STR(hear(&child), "gone");
    CHECK(wait_until(said(&child).refused == 1, 20000));
    CHECK_INT(said(&child).ready, 0);
    tell(&child);
    CHECK(wait_until(said(&child).messages == 1, 20000));
    speaker_end(&child);
    ps_supervisor_free(supervisor);
    return 0;
}
