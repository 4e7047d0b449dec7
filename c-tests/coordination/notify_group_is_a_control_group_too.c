/* Where the child has a control group of its own, a process in that one speaks for it, also after it has left the process group. */
/* covers: C13-3 */
/* as-root */
/* variants: few */
#include "notifying.h"

#include "containment.h"

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = notifier_for(PS_NOTIFY_GROUP, 0, "fork", "session", "say", "READY=1", "line", NULL);
    in_cgroup(command, cgroup_path("notifying"));
    struct speaker child = speaker_of(NULL, command);
    CHECK_OK(ps_wait_ready(child.child, PATIENCE_MS, &error), error);
    CHECK_INT(said(&child).refused, 0);
    speaker_end(&child);
    return 0;
}
