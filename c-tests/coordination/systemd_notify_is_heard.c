/* systemd-notify(1), run by a child that is a shell script: READY and STATUS are heard, and its barrier is answered at once (else it would wait for
   five seconds, and fail). Run by root it says that it is its parent, which the kernel lets root do; run by another user it is itself, a process of
   the child's group: heard where the command says so, else counted and dropped. */
/* covers: C13-7, C13-3 */
/* as-root */
#include "service.h"

#define NOBODY 65534

static void is_heard(uint32_t user, int32_t access, bool expected)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_exit ended = {.size = sizeof ended};
    ps_notified said = {.size = sizeof said};
    char text[64];
    size_t needed = 0;
    ps_command *command = shell("systemd-notify --status=loading && systemd-notify --ready --status='up and running' && cat && exit 7", "");
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    if (user != 0)
        CHECK_OK(ps_command_credentials(command, user, user, NULL, 0, &error), error);
    CHECK_OK(ps_command_readiness(command, PS_READY_NOTIFY, NULL, -1, &error), error);
    CHECK_OK(ps_command_notify_access(command, access, &error), error);
    CHECK_OK(ps_spawn(NULL, command, &child, &error), error);
    if (expected) {
        CHECK_OK(ps_wait_ready(child, PATIENCE_MS, &error), error);
        CHECK_OK(ps_child_status_text(child, text, sizeof text, &needed, &error), error);
        CHECK_INT(needed, strlen("up and running"));
        CHECK(memcmp(text, "up and running", needed) == 0);
    }
    close(pipe_end(child, 0));
    CHECK_OK(ps_reap(child, PATIENCE_MS, &ended, &error), error);
    CHECK_INT(ended.code, 7); /* both have sent, and were answered */
    CHECK_OK(ps_child_notified(child, &said, &error), error);
    CHECK_INT(said.ready, expected);
    CHECK_INT(said.messages, expected ? 2 : 0);
    CHECK(expected || said.refused == 4); /* a barrier is answered, whoever sent it */
    ps_child_free(child);
    ps_command_free(command);
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("it takes root to be another user");
    ps_child *child = NULL;
    ps_command *there = command_for("systemd-notify", "--version", NULL);
    set_stdio(there, 1, PS_STDIO_NULL, -1);
    if (ps_spawn(NULL, there, &child, NULL) == PS_ERR_NOT_FOUND)
        SKIP("systemd-notify is not here (Debian: systemd)");
    reap_and_free(child);
    ps_command_free(there);
    is_heard(0, PS_NOTIFY_MAIN, true);
    is_heard(0, PS_NOTIFY_GROUP, true);
    is_heard(NOBODY, PS_NOTIFY_GROUP, true);
    is_heard(NOBODY, PS_NOTIFY_MAIN, false);
    return 0;
}
