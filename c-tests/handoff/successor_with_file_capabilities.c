/* The new binary has capabilities from its file (a service that binds port 443), so it does not believe its environment: ps_handoff_upgrade
   works all the same, time and again. */
/* covers: F33, D1.4 */
/* as-root */
#include "handoff_untrusting.h"

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root, to give the file capabilities");
    stage_of(USER, 0755);
    char *program = own_copy();
    give_capabilities(program);
    party *o = start("old");
    ask(o, "user %d", USER);
    enter(o, PS_HANDOFF_FIRST);
    expect(o, LIVE);
    ask(o, "live");
    for (int i = 0; i < 3; i++) {
        say(o, "upgrade %d %s %s", 20000 * slowness(), program, stage.meeting);
        party *n = meet("with capabilities");
        answered(o, "upgrade", "PS_OK");
        CHECK(is_untrusting(n) && user_of(n) == USER);
        hand_over(o, n);
        served_by(n);
        o = n;
    }
    CHECK_INT(ask_number(o, "generation"), 4);
    leave_in_order(o);
    unlink(program);
    free(program);
    stage_end();
    return 0;
}
