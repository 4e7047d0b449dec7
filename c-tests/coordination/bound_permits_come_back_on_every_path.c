/* Each permit is finished, whatever becomes of the start: it cannot be made, is stopped, killed with all, or its supervisor is freed, while it is
   not ready yet. The next start may begin at once. */
/* covers: C13-5, LAW-12 */
#include "harness.h"

#include "supervising.h"

#include "bound.h"

static ps_budget *budget;
static gate never;

static ps_child *starting(ps_supervisor *supervisor)
{
    ps_child *child = spawn_in(supervisor, bound(gated(&never), budget, "k"));
    expect(supervisor, PS_EVENT_STARTED, 0);
    CHECK_STATUS(ps_budget_begin(budget, "k", &(uint64_t){0}, NULL), PS_ERR_IN_PROGRESS);
    return child;
}

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    ps_error *error = NULL;
    ps_child *child = NULL;
    budget = new_budget(99, 600000, -1);
    never = new_gate();

    /* Cannot be made. */
    ps_command *command = bound(helper_command("pause_forever", NULL), budget, "k");
    CHECK_OK(ps_command_cwd(command, "/nowhere/at/all", &error), error);
    CHECK_STATUS(ps_spawn(supervisor, command, &child, NULL), PS_ERR_NOT_FOUND);
    CHECK_FREE(budget, "k");
    CHECK_INT(used(budget, "k"), 2);
    ps_command_free(command);

    /* Stopped. */
    child = starting(supervisor);
    end_child(child);
    CHECK_FREE(budget, "k");

    /* Its handle freed before: its end is heard all the same. */
    child = starting(supervisor);
    CHECK_OK(ps_signal(child, SIGKILL, &error), error);
    ps_child_free(child);
    expect(supervisor, PS_EVENT_EXITED, 0);
    CHECK_FREE(budget, "k");

    /* All killed. */
    child = starting(supervisor);
    CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
    expect(supervisor, PS_EVENT_EXITED, 0);
    CHECK_FREE(budget, "k");
    ps_child_free(child);

    /* Reaped by the host. */
    child = starting(supervisor);
    int32_t pid = 0;
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
    expect(supervisor, PS_EVENT_EXITED, 0);
    CHECK_FREE(budget, "k");
    ps_child_free(child);

    /* A lease is for who is abandoned, not for a start that takes its time. */
    CHECK_OK(ps_budget_set_lease(budget, 20, &error), error);
    child = starting(supervisor);
    usleep(60000);
    CHECK_ERROR(ps_budget_begin(budget, "k", &(uint64_t){0}, &error), PS_ERR_IN_PROGRESS, &error);
    CHECK_INT(ps_error_retry_after_ms(error), -1);
    ps_error_free(error);

    /* The operator's reset ends it; what becomes of that start changes nothing more. */
    CHECK_OK(ps_budget_reset(budget, "k", &error), error);
    CHECK_OK(ps_budget_set_lease(budget, -1, &error), error);
    uint64_t permit = permit_of(budget, "k");
    end_child(child);
    CHECK_INT(used(budget, "k"), 1);
    CHECK(look_at(budget, "k").in_flight);
    CHECK_STATUS(ps_budget_finish(budget, permit, 0, NULL), PS_OK);

    /* Freed with its supervisor. */
    take_all(supervisor, &(event_log){0});
    child = starting(supervisor);
    ps_supervisor_free(supervisor);
    CHECK_FREE(budget, "k");
    ps_child_free(child);
    ps_budget_free(budget);
    open_gate(&never);
    return 0;
}
