/* A child that ended by itself before anybody stopped it, and was only not yet looked at, has cause SELF whoever comes too late:
   terminate, a stop plan, a deadline, kill_and_reap_all, the end of its supervisor. */
/* covers: EV-11 */
#include "harness.h"
#include "children.h"

static ps_child *zombie(ps_supervisor *supervisor, int64_t deadline_ms)
{
    ps_error *error = NULL;
    ps_command *command = exiting("6");
    if (deadline_ms >= 0)
        CHECK_OK(ps_command_deadline(command, deadline_ms, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    CHECK(wait_until(process_state(pid_of(child)) == 'Z', 20000));
    return child;
}

static void check(ps_child *child, const char *too_late)
{
    ps_exit end = reap(child);
    if (end.kind != PS_EXIT_EXITED || end.code != 6 || end.cause != PS_CAUSE_SELF)
        harness_fail(__FILE__, __LINE__, "%s: kind %d code %d cause %d", too_late, end.kind, end.code, end.cause);
    ps_child_free(child);
}

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = zombie(NULL, -1);
    CHECK_OK(ps_terminate(child, -1, NULL, &error), error);
    check(child, "terminate");

    child = zombie(NULL, -1);
    CHECK_OK(ps_terminate_begin(child, -1, &error), error);
    check(child, "terminate_begin");

    child = zombie(NULL, 1);
    int64_t start = now_ms();
    CHECK(wait_until(now_ms() > start + 2, 1000));
    check(child, "deadline");

    child = zombie(NULL, -1);
    CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
    check(child, "kill_and_reap_all");

    ps_supervisor *supervisor = supervisor_new();
    child = zombie(supervisor, -1);
    ps_supervisor_free(supervisor);
    check(child, "supervisor_free");
    return 0;
}
