/* systemd-notify(1), run by a child that is a shell script: READY and STATUS are heard, and its barrier is answered at once (else it would wait for
   five seconds, and fail). Run by root it says that it is its parent, which the kernel lets root do. */
/* covers: C13-7, C13-3 */
/* as-root */
#include "service.h"

int main(void)
{
    if (geteuid() != 0)
        SKIP("systemd-notify speaks for its parent only as root");
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_command *there = command_for("systemd-notify", "--version", NULL);
    set_stdio(there, 1, PS_STDIO_NULL, -1);
    if (ps_spawn(NULL, there, &child, NULL) == PS_ERR_NOT_FOUND)
        SKIP("systemd-notify is not here (Debian: systemd)");
    reap_and_free(child);
    ps_command_free(there);
    ps_exit ended = {.size = sizeof ended};
    ps_notified said = {.size = sizeof said};
    char text[64];
    size_t needed = 0;
    ps_command *command = shell("systemd-notify --status=loading && systemd-notify --ready --status='up and running' && cat && exit 7", "");
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_readiness(command, PS_READY_NOTIFY, NULL, PATIENCE_MS, &error), error);
    CHECK_OK(ps_spawn(NULL, command, &child, &error), error);
    CHECK_OK(ps_wait_ready(child, PATIENCE_MS, &error), error);
    CHECK_OK(ps_child_status_text(child, text, sizeof text, &needed, &error), error);
    CHECK_INT(needed, strlen("up and running"));
    CHECK(memcmp(text, "up and running", needed) == 0);
    close(pipe_end(child, 0));
    CHECK_OK(ps_reap(child, PATIENCE_MS, &ended, &error), error);
    CHECK(ended.kind == PS_EXIT_EXITED && ended.code == 7);
    CHECK_OK(ps_child_notified(child, &said, &error), error);
    CHECK_INT(said.messages, 2);
    CHECK_INT(said.refused, 2); /* the barriers come under its own number */
    ps_child_free(child);
    ps_command_free(command);
    return 0;
}
