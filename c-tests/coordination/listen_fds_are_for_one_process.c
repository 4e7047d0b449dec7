/* LISTEN_PID must be the process that asks: whoever inherits the variables, a forked copy or a program that was started by it, was given none.
   What is said to another process is not looked at, be it malformed. */
/* covers: C13-7, LAW-6 */
#include "service.h"

static void was_given(int expected)
{
    ps_error *error = NULL;
    int32_t count = -1, fd = -1;
    CHECK_OK(ps_listen_fds(&count, &error), error);
    CHECK_INT(count, expected);
    if (expected == 0) {
        CHECK_ERROR(ps_listen_fd_named("unknown", &fd, &error), PS_ERR_NOT_FOUND, &error);
        CHECK_INT(fd, -1);
        CHECK_ERROR(ps_listen_fd_name(3, NULL, 0, &(size_t){0}, &error), PS_ERR_NOT_FOUND, &error);
    }
}

static void was_given_none(int fd)
{
    was_given(0);
    CHECK(!closes_on_exec(fd));
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        was_given(0);
        return 0;
    }
    open_from_three(2);
    listen_variables(NULL, NULL, NULL);
    was_given(0);
    listen_variables("2", NULL, NULL);
    was_given(0);
    listen_variables(NULL, own_pid(), NULL);
    was_given(0);
    for (int i = 0; i < 2; i++) {
        listen_variables(i ? "many" : "2", i ? "1" : "4194304", NULL);
        was_given_none(3);
    }
    listen_variables("2", own_pid(), NULL);
    forked_went_well(forked(was_given_none, 3));
    CHECK(!closes_on_exec(3));
    runs_well(itself("child", NULL));
    was_given(2);
    was_given(2);
    CHECK(closes_on_exec(3) && closes_on_exec(4));
    return 0;
}
