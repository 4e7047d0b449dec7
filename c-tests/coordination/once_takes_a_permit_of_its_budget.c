/* A command that is bound to a budget takes its permit behind the lock: what comes of the start is booked by itself, and when the attempts are used the
   answer says so and when it makes sense again, at the step "permit". Whoever runs already is found without a permit. With the default supervisor, who is
   told of no end, it is refused at once. */
/* covers: C13-6, C13-5, RP-13 */
#include "once.h"

static ps_status start(ps_supervisor *supervisor, const ps_command *command, ps_child **child, ps_error **error)
{
    return ps_spawn_once(supervisor, once_dir, ONCE_NAME, command, once_address, ONCE_WAIT, child, error);
}

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL, *found = NULL;
    ps_budget *budget = NULL;
    ps_supervisor *supervisor = NULL;
    ps_budget_state state = {.size = sizeof state};
    char text[4096];
    once_begin();
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    CHECK_OK(ps_budget_new(2, 3600000, &budget, &error), error);

    ps_command *broken = once_command("exit", "7", NULL), *good = once_command(NULL);
    CHECK_OK(ps_command_budget(broken, budget, "daemon", &error), error);
    CHECK_OK(ps_command_budget(good, budget, "daemon", &error), error);
    CHECK_ERROR(start(NULL, broken, &child, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_STR(ps_error_step(error), "budget");
    ps_error_free(error);
    CHECK_INT(once_starts(), 0);

    for (int round = 1; round <= 2; round++) {
        error = NULL;
        CHECK_ERROR(start(supervisor, broken, &child, &error), PS_ERR_EXITED, &error);
        ps_error_free(error);
        CHECK_INT(once_starts(), round);
    }
    error = NULL;
    CHECK_ERROR(start(supervisor, good, &child, &error), PS_ERR_BUDGET_EXHAUSTED, &error);
    CHECK(child == NULL);
    CHECK(ps_error_retry_after_ms(error) > 0 && ps_error_retry_after_ms(error) <= 3600000);
    CHECK_INT(ps_error_is_storm(error), 1);
    CHECK_OK(ps_error_render(error, PS_RENDER_TEXT, text, sizeof text, NULL), NULL);
    const char *permit = strstr(text, "permit "), *spawn = strstr(text, "spawn ");
    CHECK(permit != NULL && strncmp(permit, "permit         errored", 22) == 0);
    CHECK(spawn != NULL && strstr(spawn, "not started") != NULL);
    ps_error_free(error);
    error = NULL;
    CHECK_INT(once_starts(), 2);
    CHECK(!once_is_locked(ONCE_NAME ".lock"));

    CHECK_OK(ps_budget_reset(budget, "daemon", &error), error);
    CHECK_OK(start(supervisor, good, &child, &error), error);
    CHECK(child != NULL);
    CHECK_OK(ps_budget_snapshot(budget, "daemon", &state, &error), error);
    CHECK_INT(state.in_flight, 0); /* ready: it has landed, and has a second to prove itself */
    CHECK_OK(start(supervisor, good, &found, &error), error);
    CHECK(found == NULL);
    CHECK_OK(ps_budget_snapshot(budget, "daemon", &state, &error), error);
    CHECK(state.attempts_used <= 1);

    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    ps_command_free(broken);
    ps_command_free(good);
    ps_supervisor_free(supervisor);
    ps_budget_free(budget);
    once_end();
    return 0;
}
