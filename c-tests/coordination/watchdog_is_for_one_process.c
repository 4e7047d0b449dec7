/* ps_watchdog_enabled: the microseconds of WATCHDOG_USEC for the process that WATCHDOG_PID names, or for whoever reads it if there is none;
   0 for all others, a forked copy included; malformed ones are named. */
/* covers: C13-7, CO-systemd-25961 */
#include "service.h"

static void says(const char *usec, const char *pid, int64_t expected)
{
    ps_error *error = NULL;
    int64_t found = -7;
    variable("WATCHDOG_USEC", usec);
    variable("WATCHDOG_PID", pid);
    CHECK_OK(ps_watchdog_enabled(&found, &error), error);
    CHECK_INT(found, expected);
}

static void refused(const char *usec, const char *pid, const char *name)
{
    ps_error *error = NULL;
    int64_t found = -7;
    variable("WATCHDOG_USEC", usec);
    variable("WATCHDOG_PID", pid);
    CHECK_STATUS(ps_watchdog_enabled(&found, &error), PS_ERR_PROTOCOL);
    CHECK_STR(ps_error_step(error), name);
    ps_error_free(error);
    CHECK_INT(found, -7);
}

static void is_not_watched(int unused)
{
    int64_t found = -7;
    (void)unused;
    CHECK_STATUS(ps_watchdog_enabled(&found, NULL), PS_OK);
    CHECK_INT(found, 0);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        is_not_watched(0);
        return 0;
    }
    static const char *const bad[] = {"", "0", "-1", "1s", " 1", "1e6", "9223372036854775808", "18446744073709551615", "18446744073709551616"};
    ps_error *error = NULL;
    says(NULL, NULL, 0);
    says(NULL, own_pid(), 0);
    says("20000000", NULL, 20000000);
    says("1", own_pid(), 1);
    says("9223372036854775807", own_pid(), INT64_MAX);
    says("20000000", "1", 0);
    says("forever", "1", 0);
    says("20000000", "99999999999", 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(bad[i], own_pid(), "WATCHDOG_USEC");
    refused("1000", "", "WATCHDOG_PID");
    refused("1000", "0", "WATCHDOG_PID");
    refused("1000", "main", "WATCHDOG_PID");
    CHECK_ERROR(ps_watchdog_enabled(NULL, &error), PS_ERR_INVALID_ARGUMENT, &error);
    says("20000000", own_pid(), 20000000);
    forked_went_well(forked(is_not_watched, 0));
    runs_well(itself("child", NULL));
    return 0;
}
