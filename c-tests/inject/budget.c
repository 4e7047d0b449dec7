/* Faults while a budget is made, grows and is asked: what has no memory is refused, typed, and what is there goes on. */
/* variants: none: no process is made */
#include "scenario.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_budget *budget = NULL;
    ps_budget_state state = {.size = sizeof state};
    char key[64];
    scenario_no_child();
    ps_command_free(helper_command("nothing", NULL)); /* without a table of handles there is no handle of an error either */

    scenario_begin(argc, argv);
    if (worked(ps_budget_new(1, 3600000, &budget, &error), &error)) {
        uint64_t first = 0, permit = 0;
        bool is_out = worked(ps_budget_begin(budget, "first", &first, &error), &error);
        for (int i = 0; i < repeats(20000); i++) {
            snprintf(key, sizeof key, "a key that needs some room: %d", i);
            if (!worked(ps_budget_begin(budget, key, &permit, &error), &error))
                break;
        }
        if (is_out) {
            CHECK_STATUS(ps_budget_snapshot(budget, "first", &state, NULL), PS_OK);
            CHECK(state.in_flight == 1 && state.attempts_used == 1);
            CHECK_STATUS(ps_budget_begin(budget, "first", &permit, NULL), PS_ERR_IN_PROGRESS);
            CHECK_STATUS(ps_budget_finish(budget, first, 0, NULL), PS_OK);
            CHECK_STATUS(ps_budget_finish(budget, first, 0, NULL), PS_ERR_STATE);
        }
        CHECK_STATUS(ps_budget_reset(budget, "first", NULL), PS_OK);
        ps_budget_free(budget);
    }
    scenario_end();
    return 0;
}
