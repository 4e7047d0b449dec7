/* NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID of a child that is asked for them are ours, with its own number, beside LISTEN_PID; whatever the
   host or the command says. What the host was given itself does not get there, but does to a child that is asked for nothing. */
/* covers: C13-4, C13-7, CO-systemd-25961 */
/* variants: all */
#include "notifying.h"

static struct speaker showing(int32_t kind, int64_t watchdog_ms, bool listening)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("notifier", "pid", "env", "LISTEN_PID", "env", "WATCHDOG_PID", "env", "WATCHDOG_USEC", "env",
                                         "NOTIFY_SOCKET", "pause", NULL);
    if (kind != PS_READY_EXEC)
        CHECK_OK(ps_command_readiness(command, kind, NULL, 60000 * slowness(), &error), error);
    CHECK_OK(ps_command_watchdog(command, watchdog_ms, &error), error);
    CHECK_OK(ps_command_env(command, "WATCHDOG_PID", "2", &error), error);
    CHECK_OK(ps_command_env(command, "OTHER", "2", &error), error);
    if (listening)
        CHECK_OK(ps_command_listen_fd(command, 0, "nul", &error), error);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    return speaker_of(NULL, command);
}

int main(void)
{
    char own[64], expected[128];
    CHECK(setenv("NOTIFY_SOCKET", "/the/hosts/own", 1) == 0 && setenv("WATCHDOG_USEC", "1", 1) == 0 && setenv("WATCHDOG_PID", "1", 1) == 0);
    for (int listening = 0; listening < 2; listening++) {
        struct speaker child = showing(PS_READY_NOTIFY, 90000, listening);
        snprintf(own, sizeof own, "%s", hear(&child));
        snprintf(expected, sizeof expected, "LISTEN_PID=%s", own);
        CHECK_STR(hear(&child), listening ? expected : "LISTEN_PID is not set");
        snprintf(expected, sizeof expected, "WATCHDOG_PID=%s", own);
        CHECK_STR(hear(&child), expected);
        CHECK_STR(hear(&child), "WATCHDOG_USEC=90000000");
        CHECK(strncmp(hear(&child), "NOTIFY_SOCKET=@procsup-notify-", 30) == 0);
        CHECK_INT(strlen(child.line), 30 + 32);
        speaker_end(&child);
    }
    struct speaker child = showing(PS_READY_NOTIFY, 0, false); /* no watchdog: nor the host's */
    hear(&child), hear(&child);
    CHECK_STR(hear(&child), "WATCHDOG_PID is not set");
    CHECK_STR(hear(&child), "WATCHDOG_USEC is not set");
    CHECK(strncmp(hear(&child), "NOTIFY_SOCKET=@procsup-notify-", 30) == 0);
    speaker_end(&child);

    child = showing(PS_READY_EXEC, 90000, false); /* a watchdog needs the socket */
    hear(&child), hear(&child), hear(&child);
    CHECK_STR(hear(&child), "WATCHDOG_USEC=90000000");
    CHECK(strncmp(hear(&child), "NOTIFY_SOCKET=@procsup-notify-", 30) == 0);
    speaker_end(&child);

    child = showing(PS_READY_EXEC, 0, false);
    hear(&child), hear(&child);
    CHECK_STR(hear(&child), "WATCHDOG_PID=2");
    CHECK_STR(hear(&child), "WATCHDOG_USEC=1");
    CHECK_STR(hear(&child), "NOTIFY_SOCKET=/the/hosts/own");
    speaker_end(&child);
    return 0;
}
