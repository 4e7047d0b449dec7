/* A child that has left the group that it led (setpgid), with a helper still in it, is reached by ps_signal and ps_signal_all, and so is the
   helper; neither gets a signal twice. Real-time signals are queued, so a second one would show. */
/* covers: F7, LAW-18 */
#include "harness.h"
#include "children.h"

static pid_t leader, helper;
static int said;

/* How often each has got it, by what they have written up to the mark that follows. */
static void check_counts(int expected)
{
    int leader_got = 0, helper_got = 0, marks = 0;
    CHECK(kill(leader, SIGRTMIN + 2) == 0 && kill(helper, SIGRTMIN + 2) == 0);
    while (marks < 2) {
        char line[32];
        CHECK(read_line(said, line, sizeof line));
        leader_got += strcmp(line, "leader got") == 0;
        helper_got += strcmp(line, "helper got") == 0;
        marks += strcmp(line + 6, " mark") == 0;
    }
    CHECK_INT(leader_got, expected);
    CHECK_INT(helper_got, expected);
}

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("leave_group", NULL);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    said = pipe_end(child, 1);
    leader = pid_of(child);
    helper = (pid_t)read_number(said);
    CHECK(getpgid(leader) == getpgrp() && getpgid(helper) == leader);

    check_counts(0);
    CHECK_OK(ps_signal(child, SIGRTMIN + 1, &error), error);
    check_counts(1);
    CHECK_STATUS(ps_signal_all(SIGRTMIN + 1), PS_OK);
    check_counts(1);
    CHECK_OK(ps_signal(child, 0, &error), error);
    check_counts(0);

    /* without a helper there is no group at all, and that is no error */
    CHECK(kill(helper, SIGKILL) == 0);
    CHECK(wait_until(is_dead(helper), 20000));
    CHECK_OK(ps_signal(child, SIGTERM, &error), error);
    ps_exit end = reap(child);
    CHECK_INT(end.signal, SIGTERM);
    CHECK_INT(end.cause, PS_CAUSE_OWNER);
    close(said);
    ps_child_free(child);
    return 0;
}
