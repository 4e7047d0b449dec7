/* A variable that breaks the convention is PS_ERR_PROTOCOL, and the step is its name; no descriptor is changed. */
/* covers: C13-7, LAW-17 */
#include "service.h"

static void is_refused(const char *fds, const char *pid, const char *names, const char *variable_name)
{
    ps_error *error = NULL;
    int32_t count = -7, fd = -7;
    listen_variables(fds, pid, names);
    if (names) {
        CHECK_STATUS(ps_listen_fds(&count, NULL), PS_OK); /* how they are called is no matter to it */
        CHECK(fcntl(3, F_SETFD, 0) == 0);
    } else {
        CHECK_STATUS(ps_listen_fds(&count, &error), PS_ERR_PROTOCOL);
        CHECK_STR(ps_error_step(error), variable_name);
        CHECK(strstr(ps_error_message(error), variable_name) != NULL);
        ps_error_free(error);
        CHECK_INT(count, -7);
    }
    CHECK_STATUS(ps_listen_fd_named("a", &fd, &error), PS_ERR_PROTOCOL);
    CHECK_STR(ps_error_step(error), variable_name);
    ps_error_free(error);
    CHECK_STATUS(ps_listen_fd_name(3, NULL, 0, &(size_t){0}, &error), PS_ERR_PROTOCOL);
    ps_error_free(error);
    CHECK_INT(fd, -7);
    CHECK(!closes_on_exec(3));
}

int main(void)
{
    static const char *const counts[] = {"", "0", "-1", "+1", "1 ", " 1", "0x1", "1.5", "one", "2147483645", "2147483648", "4294967297",
            "18446744073709551617", "\xff\xfe", "1\n"};
    static const char *const pids[] = {"", "0", "-1", "self", "1 "};
    static const char *const names[] = {"", "a:b:c", "a", "::", "a:b:"};
    ps_error *error = NULL;
    static char long_one[1 << 16];
    open_from_three(1);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        is_refused(counts[i], own_pid(), NULL, "LISTEN_FDS");
    for (size_t i = 0; i < sizeof pids / sizeof *pids; i++)
        is_refused("1", pids[i], NULL, "LISTEN_PID");
    /* A whole number of digits: the error quotes their beginning only. */
    memset(long_one, '1', sizeof long_one - 1);
    is_refused(long_one, own_pid(), NULL, "LISTEN_FDS");
    CHECK_STATUS(ps_listen_fds(&(int32_t){0}, &error), PS_ERR_PROTOCOL);
    CHECK(strlen(ps_error_message(error)) < 200);
    ps_error_free(error);
    open_from_three(2);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        is_refused("2", own_pid(), names[i], "LISTEN_FDNAMES");
    listen_variables("2", own_pid(), "a:b");
    variable("LISTEN_PIDFDID", "first");
    CHECK_STATUS(ps_listen_fds(&(int32_t){0}, &error), PS_ERR_PROTOCOL);
    CHECK_STR(ps_error_step(error), "LISTEN_PIDFDID");
    ps_error_free(error);
    return 0;
}
