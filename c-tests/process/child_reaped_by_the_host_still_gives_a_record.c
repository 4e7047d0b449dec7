/* The host reaped our child by accident. The answer is a typed record, at once, and everything is released. */
/* covers: LAW-3, EV-12 */
#include "harness.h"
#include "children.h"

int main(void)
{
    const char *dir = temp_dir();
    ps_error *error = NULL;
    ps_command *command = exiting("42");
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
    ps_child *child = spawn_once(NULL, command);
    int status = wait_for(pid_of(child));
    CHECK(WEXITSTATUS(status) == 42);

    ps_exit end = reap(child);
    if (stolen_status_is_kept())
        CHECK(end.kind == PS_EXIT_EXITED && end.code == 42 && end.signal == 0);
    else
        CHECK(end.kind == PS_EXIT_LOST && end.code == -1 && end.signal == 0);
    /* the kernel gives the usage to whoever reaps: for us it is unknown, not zero */
    CHECK(end.max_rss_kib == -1 && end.user_us == -1 && end.system_us == -1);
    CHECK(end.ended_ns >= end.started_ns);
    CHECK(state_of(child) == PS_STATE_EXITED);
    CHECK(!exists(dir));
    CHECK(ps_live_count() == 0);
    ps_child_free(child);

    child = spawn_once(NULL, helper_command("die_by", "9", NULL));
    wait_for(pid_of(child));
    end = reap(child);
    if (stolen_status_is_kept())
        CHECK(end.kind == PS_EXIT_SIGNALED && end.code == -1 && end.signal == SIGKILL);
    else
        CHECK(end.kind == PS_EXIT_LOST && end.code == -1 && end.signal == 0);
    ps_child_free(child);
    return 0;
}
