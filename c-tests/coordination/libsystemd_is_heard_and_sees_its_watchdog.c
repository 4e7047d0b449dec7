/* A child that uses the real libsystemd finds its watchdog on (the true WATCHDOG_PID, under each tier), is ready by its sd_notify, and has its barrier
   answered; and a child of its own finds none. */
/* covers: C13-4, C13-7, CO-systemd-25961 */
/* variants: all */
#include "notifying.h"

int main(void)
{
    ps_error *error = NULL;
    CHECK(setenv("WATCHDOG_USEC", "1", 1) == 0 && setenv("WATCHDOG_PID", "1", 1) == 0);
    ps_command *command = helper_command("systemd_service", "watchdog", "notify", "READY=1", "barrier", "20000000", "stdin", NULL);
    CHECK_OK(ps_command_readiness(command, PS_READY_NOTIFY, NULL, 60000 * slowness(), &error), error);
    CHECK_OK(ps_command_watchdog(command, 20000 * slowness(), &error), error);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    struct speaker child = speaker_of(NULL, command);
    char expected[64];
    snprintf(expected, sizeof expected, "watchdog 1 %d", 20000000 * slowness());
    if (strcmp(hear(&child), "") == 0) {
        speaker_end(&child);
        SKIP("no libsystemd here");
    }
    CHECK_STR(child.line, expected);
    CHECK_OK(ps_wait_ready(child.child, PATIENCE_MS, &error), error);
    CHECK_STR(hear(&child), "notify 1");
    CHECK(wait_until((said(&child), readable(child.out, 0)), 20000));
    CHECK_STR(hear(&child), "barrier 1");
    CHECK_INT(said(&child).refused, 0);
    speaker_end(&child);

    /* What it inherited names its parent. */
    command = shell("$1 watchdog; read -r line", helper_path("systemd_service"));
    CHECK_OK(ps_command_watchdog(command, 20000 * slowness(), &error), error);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    child = speaker_of(NULL, command);
    CHECK_STR(hear(&child), "watchdog 0 0");
    speaker_end(&child);
    return 0;
}
