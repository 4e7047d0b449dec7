/* variants: none (the test forces each tier itself) */
/* PROCSUP_SPAWN_TIER forces one tier; what ran is what was asked for, and an unknown name is not silently something else. */
#include "harness.h"
#include "children.h"

static const char *forced;
static int32_t expected;

static void body(void)
{
    setenv("PROCSUP_SPAWN_TIER", forced, 1);
    ps_error *error = NULL;
    ps_child *child = spawn_once(NULL, exiting("3"));
    int32_t tier = 0;
    CHECK_OK(ps_child_spawn_tier(child, &tier, &error), error);
    CHECK_INT(tier, expected);
    CHECK_INT(reap(child).code, 3);
    ps_child_free(child);
    ps_command *missing = command_for("/nonexistent/program", NULL);
    ps_error *why = spawn_fails(missing, PS_ERR_NOT_FOUND);
    CHECK_INT(ps_error_errno(why), ENOENT);
    CHECK_STR(ps_error_step(why), "exec");
    ps_error_free(why);
}

int main(void)
{
    /* each in a copy of its own: the choice is made once per process */
    static const struct { const char *name; int32_t tier; } tiers[] = {
        {"fork", PS_TIER_FORK}, {"clone", PS_TIER_CLONE}, {"clone3", PS_TIER_CLONE3}};
    for (size_t i = 0; i < sizeof tiers / sizeof *tiers; i++) {
        forced = tiers[i].name;
        expected = tiers[i].tier;
        if (expected == PS_TIER_CLONE3 && !kernel_at_least(5, 5))
            continue;
        in_forked_process(body);
    }
    return 0;
}
