/* Who writes what nobody reads any more is ended by SIGPIPE, also where the host ignores it; and a reader's input ends with its writer, though the
   others run on. */
/* variants: few */
#include "harness.h"
#include "piping.h"

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    ps_child *child[3];
    ps_command *yes = command_for("yes", NULL), *head = capturing(command_for("head", "-n1", NULL));
    pipeline(NULL, child, yes, head, NULL);
    ps_exit end = reap(child[1]);
    CHECK(end.kind == PS_EXIT_EXITED && end.code == 0);
    CHECK_STR(captured(child[1]), "y\n");
    end = reap(child[0]);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGPIPE && end.cause == PS_CAUSE_SELF);
    free_all(child, 2);
    ps_command_free(yes);
    ps_command_free(head);

    ps_command *first = exiting("0"), *second = helper_command("echo_fd", "0", NULL), *third = pausing();
    pipeline(NULL, child, first, second, third, NULL);
    CHECK_INT(reap(child[0]).code, 0);
    CHECK_INT(reap(child[1]).code, 0);
    CHECK_INT(state_of(child[2]), PS_STATE_RUNNING);
    kill_and_free(child[2]);
    free_all(child, 2);
    ps_command_free(first);
    ps_command_free(second);
    ps_command_free(third);
    return 0;
}
