/* ps_spawn into a free slot is refused as the budget says, and nothing has happened: no child, no event, and what the command owns is still
   its own. */
/* covers: C13-5, RP-3, RP-4, RP-5, LAW-12 */
#include "harness.h"

#include "supervising.h"

#include "bound.h"

static void check_exhausted(ps_supervisor *supervisor)
{
    ps_budget *budget = new_budget(2, 60000, -1);
    ps_command *command = bound(helper_command("pause_forever", NULL), budget, "k");
    ps_child *children[3];
    ps_error *error = NULL;
    for (int i = 0; i < 2; i++) {
        CHECK_OK(ps_spawn(supervisor, command, &children[i], &error), error);
        expect(supervisor, PS_EVENT_STARTED, 0);
    }
    int own = dup(0);
    CHECK_OK(ps_command_own_fd(command, own, &error), error);
    for (int storm = 1; storm >= 0; storm--) {
        error = refused(supervisor, command, PS_ERR_BUDGET_EXHAUSTED);
        CHECK(ps_error_retry_after_ms(error) > 0 && ps_error_retry_after_ms(error) <= 60000);
        CHECK_INT(ps_error_is_storm(error), storm);
        ps_error_free(error);
    }
    CHECK(fcntl(own, F_GETFD) >= 0);
    CHECK_OK(ps_budget_reset(budget, "k", &error), error);
    CHECK_OK(ps_spawn(supervisor, command, &children[2], &error), error);
    expect(supervisor, PS_EVENT_STARTED, 0);
    for (int i = 0; i < 3; i++)
        end_child(children[i]);
    /* It went to the child that was started, and with it. */
    CHECK(fcntl(own, F_GETFD) < 0);
    ps_command_free(command);
    ps_budget_free(budget);
}

static void check_in_progress(ps_supervisor *supervisor)
{
    ps_budget *budget = new_budget(9, 60000, -1);
    gate gate = new_gate();
    ps_error *error = NULL;
    ps_child *first = spawn_in(supervisor, bound(gated(&gate), budget, "k")), *second = NULL;
    expect(supervisor, PS_EVENT_STARTED, 0);
    ps_command *command = bound(helper_command("pause_forever", NULL), budget, "k");
    error = refused(supervisor, command, PS_ERR_IN_PROGRESS);
    CHECK_INT(ps_error_retry_after_ms(error), -1);
    ps_error_free(error);
    CHECK_INT(used(budget, "k"), 1);
    /* Another key is another matter. */
    end_child(spawn_in(supervisor, bound(helper_command("pause_forever", NULL), budget, "l")));
    let_one(&gate);
    expect(supervisor, PS_EVENT_READY, 0);
    CHECK_OK(ps_spawn(supervisor, command, &second, &error), error);
    end_child(first);
    end_child(second);
    ps_command_free(command);
    ps_budget_free(budget);
    open_gate(&gate);
}

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    check_exhausted(supervisor);
    check_in_progress(supervisor);
    /* A permit is finished by whoever is told of the end. */
    ps_budget *budget = new_budget(0, 0, -1);
    ps_command *command = bound(exiting("0"), budget, "k");
    ps_child *child = NULL;
    ps_error *error = NULL;
    CHECK_ERROR(ps_spawn(NULL, command, &child, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_STR(ps_error_step(error), "budget");
    ps_error_free(error);
    CHECK_INT(used(budget, "k"), 0);
    CHECK_OK(ps_command_budget(command, NULL, NULL, &error), error);
    CHECK_OK(ps_spawn(NULL, command, &child, &error), error);
    reap(child);
    ps_child_free(child);
    ps_command_free(command);
    ps_budget_free(budget);
    ps_supervisor_free(supervisor);
    return 0;
}
