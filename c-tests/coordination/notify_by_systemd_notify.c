/* systemd-notify(1) in a shell makes that ready: by PS_NOTIFY_GROUP; by root also without, since it names its parent. It waits for the answer to its
   barrier, and gets it. */
/* covers: C13-3, C13-7 */
/* variants: few */
#include "notifying.h"

static void by(int32_t access)
{
    ps_error *error = NULL;
    ps_command *command = shell("systemd-notify --ready --status='it works' && echo done $?; read -r line", "");
    CHECK_OK(ps_command_readiness(command, PS_READY_NOTIFY, NULL, 60000 * slowness(), &error), error);
    CHECK_OK(ps_command_notify_access(command, access, &error), error);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    struct speaker child = speaker_of(NULL, command);
    CHECK_OK(ps_wait_ready(child.child, PATIENCE_MS, &error), error);
    /* Its barrier may come behind the look that has found it ready. */
    CHECK(wait_until((said(&child), readable(child.out, 0)), 20000));
    CHECK_STR(hear(&child), "done 0");
    CHECK_STR(status_text(&child), "it works");
    speaker_end(&child);
}

int main(void)
{
    if (access("/usr/bin/systemd-notify", X_OK) != 0 && access("/bin/systemd-notify", X_OK) != 0)
        SKIP("systemd-notify is not installed (package systemd)");
    by(PS_NOTIFY_GROUP);
    if (getuid() == 0)
        by(PS_NOTIFY_MAIN);
    return 0;
}
