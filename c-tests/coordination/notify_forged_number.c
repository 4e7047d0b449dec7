/* Nobody but root can say that he is the child: the kernel refuses it. Root can (systemd-notify does so for its parent), and is believed. */
/* covers: C13-3 */
#include "notifying.h"

int main(void)
{
    char number[32];
    ps_error *error = NULL;
    struct speaker child = speaking(NULL, PS_NOTIFY_MAIN, 0, "env", "NOTIFY_SOCKET", "pause", NULL);
    int32_t pid = 0;
    CHECK_OK(ps_child_pid(child.child, &pid, &error), error);
    snprintf(number, sizeof number, "%d", (int)pid);
    CHECK(setenv("NOTIFY_SOCKET", hear(&child) + strlen("NOTIFY_SOCKET="), 1) == 0);

    bool root = getuid() == 0;
    ps_command *other = root ? helper_command("notifier", "user", "65534", "forge", number, "READY=1", NULL)
                             : helper_command("notifier", "forge", number, "READY=1", NULL);
    set_stdio(other, 0, PS_STDIO_PIPE, -1);
    set_stdio(other, 1, PS_STDIO_PIPE, -1);
    struct speaker liar = speaker_of(NULL, other);
    CHECK_STR(hear(&liar), "EPERM");
    speaker_end(&liar);
    CHECK_INT(said(&child).messages, 0);
    if (root) {
        other = helper_command("notifier", "forge", number, "READY=1", NULL);
        set_stdio(other, 0, PS_STDIO_PIPE, -1);
        set_stdio(other, 1, PS_STDIO_PIPE, -1);
        liar = speaker_of(NULL, other);
        CHECK_STR(hear(&liar), "forged");
        speaker_end(&liar);
        CHECK_OK(ps_wait_ready(child.child, PATIENCE_MS, &error), error);
    }
    speaker_end(&child);
    return 0;
}
