/*
 * What the tests of ps_budget share. A window is either so long that it does not end within a test (FOREVER_MS), or so short that the
 * test can wait for its end: `budget_look` says when that has come.
 *
 *   budget_of(attempts, window_ms)          begin(budget, key)       the permit, or the test fails
 *   look(budget, key)                       finish(budget, permit, succeeded)
 *   refused(budget, key, status, &after)    whether it was told the storm; after: when to try again
 */
#ifndef PROCSUP_BUDGETS_H
#define PROCSUP_BUDGETS_H

#include "harness.h"
#include "children.h"

#define FOREVER_MS 3600000

HARNESS ps_budget *budget_of(uint32_t attempts, int64_t window_ms)
{
    ps_budget *budget = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_budget_new(attempts, window_ms, &budget, &error), error);
    return budget;
}

HARNESS uint64_t begin(ps_budget *budget, const char *key)
{
    uint64_t permit = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_budget_begin(budget, key, &permit, &error), error);
    CHECK(permit != 0);
    return permit;
}

HARNESS void finish(ps_budget *budget, uint64_t permit, int32_t succeeded)
{
    ps_error *error = NULL;
    CHECK_OK(ps_budget_finish(budget, permit, succeeded, &error), error);
}

HARNESS ps_budget_state look(ps_budget *budget, const char *key)
{
    ps_budget_state state;
    memset(&state, 0x5a, sizeof state);
    state.size = sizeof state;
    ps_error *error = NULL;
    CHECK_OK(ps_budget_snapshot(budget, key, &state, &error), error);
    CHECK(state.size == sizeof state && state.reserved == 0);
    return state;
}

/* Must not be granted, with this status, and say when to try again (`after` may be NULL). */
HARNESS bool refused(ps_budget *budget, const char *key, ps_status status, int64_t *after)
{
    uint64_t permit = 77;
    ps_error *error = NULL;
    CHECK_ERROR(ps_budget_begin(budget, key, &permit, &error), status, &error);
    CHECK(permit == 77);
    int32_t storm = ps_error_is_storm(error);
    CHECK(storm == 0 || storm == 1);
    if (after)
        *after = ps_error_retry_after_ms(error);
    ps_error_free(error);
    return storm;
}

HARNESS void stale(ps_budget *budget, uint64_t permit)
{
    for (int32_t succeeded = 0; succeeded <= 1; succeeded++) {
        ps_error *error = NULL;
        CHECK_ERROR(ps_budget_finish(budget, permit, succeeded, &error), PS_ERR_STATE, &error);
        ps_error_free(error);
    }
}

/* A start that fails. */
HARNESS void fail(ps_budget *budget, const char *key)
{
    finish(budget, begin(budget, key), 0);
}

#endif
