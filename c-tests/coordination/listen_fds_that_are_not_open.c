/* A count beyond what is open, be it two billion, ends at the first number that is not: typed, at once, and none of those that are there was
   changed. What is asked by name is only that one, so it may be asked when another was closed. */
/* covers: C13-7, LAW-17 */
#include "service.h"

int main(void)
{
    ps_error *error = NULL;
    int32_t count = -7, fd = -7;
    open_from_three(2);
    static const char *const counts[] = {"3", "1000", "2147483644"};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        listen_variables(counts[i], own_pid(), NULL);
        CHECK_STATUS(ps_listen_fds(&count, &error), PS_ERR_PROTOCOL);
        CHECK_STR(ps_error_step(error), "LISTEN_FDS");
        CHECK_INT(ps_error_errno(error), EBADF);
        CHECK(strstr(ps_error_message(error), "5 is not open") != NULL);
        ps_error_free(error);
        CHECK_INT(count, -7);
        CHECK(!closes_on_exec(3) && !closes_on_exec(4));
    }
    listen_variables("2", own_pid(), "old:new");
    close(3);
    CHECK_STATUS(ps_listen_fds(&count, &error), PS_ERR_PROTOCOL);
    ps_error_free(error);
    CHECK(!closes_on_exec(4));
    CHECK_STATUS(ps_listen_fd_named("old", &fd, &error), PS_ERR_PROTOCOL);
    CHECK_INT(ps_error_errno(error), EBADF);
    ps_error_free(error);
    CHECK_OK(ps_listen_fd_named("new", &fd, &error), error);
    CHECK_INT(fd, 4);
    CHECK(closes_on_exec(4));
    return 0;
}
