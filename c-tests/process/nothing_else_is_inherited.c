/* Whatever the host has open, with CLOEXEC or without, at low, high and very high numbers: the child has its three streams
   and what was passed. */
/* covers: SC-15, RP-40, P13, P14, D-7 */
#include "harness.h"
#include "children.h"

int main(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < 200; i++)
        CHECK(open("/dev/null", i % 2 ? O_RDONLY : O_RDONLY | O_CLOEXEC) >= 0);
    for (int high = 300; high < (int)limit.rlim_max && high < 1000000; high *= 3)
        CHECK(dup2(2, high) == high);

    CHECK(output_is(helper_command("show_fds", NULL), "0 1 2\n"));

    ps_error *error = NULL;
    ps_command *command = helper_command("show_fds", NULL);
    CHECK_OK(ps_command_pass_fd(command, 2, 3, &error), error);
    CHECK_OK(ps_command_pass_fd(command, 300, 150, &error), error);
    CHECK_OK(ps_command_pass_fd(command, 900, 7, &error), error);
    CHECK(output_is(command, "0 1 2 3 7 150\n"));

    /* pipes of this child and of the others stay out, too */
    command = helper_command("show_fds", NULL);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 2, PS_STDIO_PIPE, -1);
    CHECK(output_is(command, "0 1 2\n"));
    return 0;
}
