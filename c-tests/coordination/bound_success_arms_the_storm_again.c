/* A success arms the storm again: while a start has yet to prove itself the next one is refused, which is the storm; it proves itself, the key is
   as new, and the next refusal is a storm again. */
/* covers: C13-5, RP-5, RP-6 */
/* variants: none: it takes three seconds, and says nothing of how processes are made */
#include "harness.h"

#include "supervising.h"

#include "bound.h"

static ps_command *staying(ps_budget *budget) { return bound(helper_command("pause_forever", NULL), budget, "key"); }

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    /* Long enough for the two refusals, however slow the machine is: the second round waits for it, not for a time. */
    ps_budget *budget = new_budget(1, 3600000, 1500 * slowness());
    for (int round = 0; round < 2; round++) {
        ps_child *child = spawn_in(supervisor, staying(budget));
        expect(supervisor, PS_EVENT_STARTED, 0);
        for (int i = 0; i < 2; i++) {
            ps_command *next = staying(budget);
            ps_error *error = refused(supervisor, next, PS_ERR_BUDGET_EXHAUSTED);
            CHECK_INT(ps_error_is_storm(error), i == 0);
            ps_error_free(error);
            ps_command_free(next);
        }
        await_used(supervisor, budget, "key", 0);
        CHECK_INT(look_at(budget, "key").storm, 0);
        end_child(child);
    }
    ps_budget_free(budget);
    ps_supervisor_free(supervisor);
    return 0;
}
