/* What one child does to its /dev/null, no other feels: each has an open file description of its own, also two children of one command, whatever
   the host has open and where. */
/* covers: F19, LAW-16 */
#include "harness.h"
#include "children.h"

static ps_child *start(const char *how, int *said, int *end)
{
    ps_error *error = NULL;
    int out[2], in[2];
    CHECK(pipe2(out, O_CLOEXEC) == 0 && pipe2(in, O_CLOEXEC) == 0);
    ps_command *command = how ? helper_command("status_flags", how, NULL) : helper_command("status_flags", NULL);
    for (int stream = 0; stream < 3; stream++)
        set_stdio(command, stream, PS_STDIO_NULL, -1);
    CHECK_OK(ps_command_pass_fd(command, out[1], 7, &error), error);
    CHECK_OK(ps_command_pass_fd(command, in[0], 8, &error), error);
    ps_child *child = spawn_once(NULL, command);
    close(out[1]);
    close(in[0]);
    *said = out[0];
    *end = in[1];
    return child;
}

static void two_children(void)
{
    char line[8];
    int said[2], end[2];
    ps_child *first = start("nonblock", &said[0], &end[0]);
    CHECK(read_line(said[0], line, sizeof line));
    CHECK_STR(line, "nnn");
    ps_child *second = start(NULL, &said[1], &end[1]);
    CHECK(read_line(said[1], line, sizeof line));
    CHECK_STR(line, "bbb");
    for (int i = 0; i < 2; i++) {
        close(end[i]);
        close(said[i]);
    }
    CHECK_INT(reap(first).code, 0);
    CHECK_INT(reap(second).code, 0);
    ps_child_free(first);
    ps_child_free(second);
}

/* The child opens it at the lowest free number, which may be one that something else is to have. */
static void with_standard_numbers_closed(void)
{
    close(0);
    close(2);
    two_children();
}

/* A stream that the host has closed stays closed: the null device of another one must not come to lie there. */
static void beside_streams_that_are_closed(void)
{
    ps_error *error = NULL;
    char line[8];
    int out[2], in[2];
    CHECK(pipe2(out, O_CLOEXEC) == 0 && pipe2(in, O_CLOEXEC) == 0);
    close(0);
    close(1); /* both: the pidfd of the child takes the lower one for a while */
    ps_command *command = helper_command("status_flags", NULL);
    set_stdio(command, 2, PS_STDIO_NULL, -1);
    CHECK_OK(ps_command_pass_fd(command, out[1], 7, &error), error);
    CHECK_OK(ps_command_pass_fd(command, in[0], 8, &error), error);
    ps_child *child = spawn_once(NULL, command);
    CHECK(read_line(out[0], line, sizeof line));
    CHECK_STR(line, "--b");
    close(in[0]);
    close(in[1]);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
}

static void with_many_open(void)
{
    for (int i = 0; i < 300; i++)
        CHECK(fcntl(1, F_DUPFD_CLOEXEC, 3) >= 0);
    two_children();
}

int main(void)
{
    two_children();
    in_forked_process(with_standard_numbers_closed);
    in_forked_process(beside_streams_that_are_closed);
    in_forked_process(with_many_open);
    return 0;
}
