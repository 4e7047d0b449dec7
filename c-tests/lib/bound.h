/*
 * For tests of commands that are bound to a budget. Include harness.h and supervising.h first.
 *
 *   new_budget(attempts, window_ms, healthy_ms)      bound(command, budget, key)      going_on(command)
 *   used(budget, key)      permit_of(budget, key)    CHECK_FREE(budget, key): a permit is to be had
 *   gated(in): a command that is ready when a byte comes on the pipe, and pauses then      let_one(gate)
 */
#ifndef PROCSUP_BOUND_H
#define PROCSUP_BOUND_H

#include "ready.h"

HARNESS ps_budget *new_budget(uint32_t attempts, int64_t window_ms, int64_t healthy_ms)
{
    ps_budget *budget = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_budget_new(attempts, window_ms, &budget, &error), error);
    if (healthy_ms >= 0)
        CHECK_OK(ps_budget_set_healthy(budget, healthy_ms, &error), error);
    return budget;
}

HARNESS ps_command *bound(ps_command *command, ps_budget *budget, const char *key)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_budget(command, budget, key, &error), error);
    return command;
}

HARNESS ps_command *going_on(ps_command *command)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_budget_wait(command, 1, &error), error);
    return command;
}

/* Restarted at once, for ever; its budget says what health is. */
HARNESS ps_command *restless(ps_command *command)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_restart(command, PS_RESTART_ON_FAILURE, 0, 0, &error), error);
    return command;
}

HARNESS ps_budget_state look_at(ps_budget *budget, const char *key)
{
    ps_budget_state state = {.size = sizeof state};
    ps_error *error = NULL;
    CHECK_OK(ps_budget_snapshot(budget, key, &state, &error), error);
    return state;
}

HARNESS uint32_t used(ps_budget *budget, const char *key) { return look_at(budget, key).attempts_used; }

HARNESS uint64_t permit_of(ps_budget *budget, const char *key)
{
    uint64_t permit = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_budget_begin(budget, key, &permit, &error), error);
    return permit;
}

#define CHECK_FREE(budget, key) CHECK_STATUS(ps_budget_finish((budget), permit_of((budget), (key)), 0, NULL), PS_OK)

/* Takes events, none of which may come, until so many attempts count. */
HARNESS void await_used(ps_supervisor *supervisor, ps_budget *budget, const char *key, uint32_t count)
{
    for (int64_t until = now_ms() + PATIENCE_MS; used(budget, key) != count;) {
        CHECK(now_ms() < until);
        ps_event event = {.size = sizeof event};
        ps_supervisor_next_event(supervisor, 10, &event, NULL);
    }
}

HARNESS ps_command *gated(const gate *gate)
{
    ps_command *command = ready_command(PS_READY_FD, "3", -1, "gate:0", "newline:3", "pause", NULL);
    set_stdio(command, 0, PS_STDIO_FD, gate->in);
    return command;
}

HARNESS void let_one(const gate *gate) { CHECK(write(gate->out, "x", 1) == 1); }

/* Spawns into a free slot, and is refused: nothing has happened. */
HARNESS ps_error *refused(ps_supervisor *supervisor, ps_command *command, ps_status status)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    counts before = counts_of(supervisor);
    CHECK_ERROR(ps_spawn(supervisor, command, &child, &error), status, &error);
    CHECK(child == NULL);
    CHECK_STR(ps_error_step(error), "budget");
    CHECK_COUNTS(supervisor, before.pending, before.running, before.stopping);
    expect_nothing(supervisor);
    return error;
}

#endif
